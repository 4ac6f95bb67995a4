import { describe, expect, it } from 'bun:test'
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { observabilityImages } from '../../compose/images/observability/images.ts'
import { runCommand } from '../../compose/run-command.ts'
import { composeCommand } from '../../compose/servers/docker-engine.ts'
import { composeFiles, type Overlay, servicesOf } from '../../observability/stack/overlays.ts'
import { configurationNames, overlayCombinations } from '../support/observability/configuration-names.ts'

const root = resolve(import.meta.dir, '../..')
/** No variable of this machine may replace a default. */
const env = { PATH: process.env.PATH, HOME: process.env.HOME }

interface MergedService {
  image: string
  user: string
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  stop_grace_period?: string
  restart?: string
  healthcheck?: { test: string[] }
  environment?: Record<string, string>
  ports?: { host_ip?: string }[]
  volumes?: { type: string; source: string }[]
}

interface Merged {
  overlays: readonly Overlay[]
  services: Record<string, MergedService>
  configs: Record<string, { file: string }>
}

const compose = await composeCommand(env)
const combinations: Merged[] = []
for (const overlays of overlayCombinations()) combinations.push(await merge(compose, overlays))

/** Returns a combination as Compose merges it, which needs no engine. */
async function merge(compose: string[], overlays: readonly Overlay[]): Promise<Merged> {
  const files = composeFiles(overlays).flatMap((file) => ['--file', file])
  const argv = [...compose, '--project-directory', '.', ...files, 'config', '--format', 'json']
  const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: root, env })
  if (exitCode !== 0) throw new Error(`${files.join(' ')}: ${stderr}`)
  return { overlays, ...JSON.parse(stdout) }
}

/** Returns what `problem` says of every service in every combination, if anything. */
function problems(problem: (service: MergedService, name: string) => string | null): string[] {
  const found = combinations.flatMap(({ overlays, services }) =>
    Object.entries(services).map(([name, service]) => {
      const seen = problem(service, name)
      return seen === null ? '' : `${overlays.join(' + ')}: ${name}: ${seen}`
    }),
  )
  return found.filter((line) => line !== '')
}

describe('every documented combination of overlays', () => {
  it('is merged by Compose into the services that it names', () => {
    expect(combinations).toHaveLength(56)
    for (const { overlays, services } of combinations) {
      const onMinio = overlays.some((overlay) => overlay.endsWith('.s3-minio'))
      const expected = [...servicesOf(overlays), ...(onMinio ? ['minio', 'minio-init'] : [])]
      expect(Object.keys(services).sort()).toEqual(expected.sort())
    }
  })

  it('runs without root, on a read-only file system, without capabilities or a way to gain them', () => {
    const found = problems(({ user, read_only, cap_drop, security_opt }) => {
      const kept = [/^[1-9]\d*:[1-9]\d*$/.test(user), read_only === true, cap_drop?.includes('ALL') === true]
      return kept.includes(false) || !security_opt?.includes('no-new-privileges:true') ? 'has more' : null
    })
    expect(found).toEqual([])
  })

  it('publishes its ports on loopback only', () => {
    const found = problems(({ ports = [] }) =>
      ports.every(({ host_ip }) => host_ip === '127.0.0.1') ? null : 'is open to the network',
    )
    expect(found).toEqual([])
  })

  it('checks the health of every server', () => {
    const found = problems(({ healthcheck, restart }) =>
      healthcheck === undefined && restart !== 'no' ? 'has no health check' : null,
    )
    expect(found).toEqual([])
  })

  it('gives Loki and Tempo at least a minute to flush', () => {
    const seconds = (period = '0s') => {
      const [, minutes = '0', rest = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(period) ?? []
      return Number(minutes) * 60 + Number(rest)
    }
    const found = problems(({ stop_grace_period }, name) =>
      ['loki', 'tempo'].includes(name) && seconds(stop_grace_period) < 60 ? `has ${stop_grace_period}` : null,
    )
    expect(found).toEqual([])
  })

  it('takes every image from the table that is packed from', () => {
    const known = new Set<string>(Object.values(observabilityImages).map(({ standard }) => standard))
    const found = problems(({ image }, name) =>
      known.has(image) || name.startsWith('minio') ? null : `runs ${image}`,
    )
    expect(found).toEqual([])
  })

  it('mounts configurations that can be rendered', () => {
    const rendered = new Set(configurationNames)
    const mounted = combinations.flatMap(({ configs }) => Object.values(configs).map(({ file }) => file))
    expect(new Set(mounted.map((file) => basename(file, '.yaml'))).size).toBe(7)
    expect(mounted.filter((file) => !rendered.has(basename(file, '.yaml')))).toEqual([])
  })

  it('mounts nothing else except files of the repository', () => {
    const found = problems(({ volumes = [] }) => {
      const missing = volumes.find(({ type, source }) => type === 'bind' && !existsSync(source))
      return missing === undefined ? null : `mounts ${missing.source}`
    })
    expect(found).toEqual([])
  })
})
