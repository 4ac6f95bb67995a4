import { describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { serviceImage } from '../../compose/images/service/pack-image.ts'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import { composeCommand } from '../../compose/servers/docker-engine.ts'
import { writeSettings } from '../../compose/stacks/compose-project.ts'
import { blocksOf } from '../support/commands/runbook-blocks.ts'
import { folderForTests } from '../support/folder.ts'
import { proxyImage } from '../support/swarm/proxy-image.ts'

const root = resolve(import.meta.dir, '../..')
const base = 'compose/stacks/documents.yaml'
const swarm = 'overlays/documents.swarm.yaml'
const optional = ['proxy.haproxy', 'documents.private-ca', 'documents.telemetry', 'network.encrypted']
const telemetryBase = 'compose/stacks/observability-services.yaml'
const telemetrySwarm = 'overlays/observability.swarm.yaml'
/** Settings without a default: examples in the form of production. */
const settings = {
  PUBLIC_URL: 'https://documents.example.com',
  S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_PUBLIC_ENDPOINT: 'https://fsn1.your-objectstorage.com',
  S3_REGION: 'fsn1',
  S3_BUCKET_DOCS: 'example-docs',
  AUTH_ISSUER: 'https://login.example.com',
  AUTH_AUDIENCE: 'documents',
  AUTH_JWKS_URL: 'https://login.example.com/keys',
  AUTH_CLIENT_ID: 'documents-ui',
}
const telemetrySettings = { OBSERVABILITY_NODE: 'node-1' }
const env = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  ...settings,
  ...telemetrySettings,
}

interface MergedService {
  image: string
  user: string
  read_only: boolean
  cap_drop: string[]
  security_opt?: string[]
  environment?: Record<string, string>
  deploy?: { replicas?: number; update_config?: { order: string; failure_action: string } }
  ports?: unknown[]
  stop_grace_period?: string
}

/** A secret, a config or a network. */
interface Named {
  name: string
  external?: boolean
}

interface Merged {
  services: Record<string, MergedService>
  secrets?: Record<string, Named>
  configs?: Record<string, Named>
  networks?: Record<string, Named>
}

/** Every choice of overlays for a Swarm. */
const combinations = choices([base, swarm], optional)
const telemetryCombinations = choices(
  [telemetryBase, telemetrySwarm],
  ['observability.private-ca', 'network.encrypted'],
)

const compose = await composeCommand(env)
const hasStackConfig = (await runCommand(['docker', 'stack', 'config', '--help'], { env })).stdout.includes(
  'Outputs the final',
)

/** `files` with none, some or all of the overlays. */
function choices(files: string[], overlays: string[]): string[][] {
  return overlays.reduce<string[][]>(
    (chosen, overlay) => chosen.flatMap((some) => [some, [...some, `overlays/${overlay}.yaml`]]),
    [files],
  )
}

async function merged(files: string[], folder: string): Promise<Merged> {
  const named = files.flatMap((file) => ['--file', file])
  const argv = [...compose, '--project-directory', folder, ...named, 'config', '--format', 'json']
  return JSON.parse(await mustRun(argv, { cwd: root, env }))
}

describe('the settings that are written for a stack', () => {
  it('are read by Compose as they were given, whatever the folder is called', async () => {
    const folder = await folderForTests(`cloudlysis's "$HOME" \\n-`)
    const settings = { SECRETS_FOLDER: folder, PASSWORD: 'back\\slash, a\nline and \\' }
    await writeSettings(folder, settings)
    const file = join(folder, 'shown.yaml')
    const environment = { SECRETS_FOLDER: '$SECRETS_FOLDER', PASSWORD: '$PASSWORD' }
    await writeFile(file, JSON.stringify({ services: { shown: { image: 'shown', environment } } }))
    const named = ['--env-file', join(folder, '.env'), '--file', file]
    const config = await mustRun(
      [...compose, ...named, '--project-name', 'x', 'config', '--format', 'json'],
      {
        env: { PATH: env.PATH, HOME: env.HOME },
      },
    )
    // Compose doubles `$` there, so that the output is a file of Compose again.
    expect(JSON.parse(config.replaceAll('$$', '$')).services.shown.environment).toEqual(settings)
  })
})

describe('the files of the document service', () => {
  it('are merged by Compose for one machine: on loopback, without a way to a privilege', async () => {
    const { services, secrets } = await merged([base, 'overlays/documents.compose.yaml'], '.')
    expect(Object.keys(services)).toEqual(['documents'])
    expect(services.documents).toMatchObject({
      image: serviceImage,
      user: '10001:10001',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      ports: [{ host_ip: '127.0.0.1' }],
    })
    expect(Object.keys(secrets ?? {})).toHaveLength(3)
  })

  it('are merged by Compose for a Swarm with every combination of overlays', async () => {
    expect(combinations).toHaveLength(16)
    for (const files of combinations) {
      const { services, secrets } = await merged(files, 'compose')
      expect(services.documents?.deploy).toMatchObject({
        replicas: 2,
        update_config: { order: 'start-first', failure_action: 'rollback' },
      })
      const withProxy = files.includes('overlays/proxy.haproxy.yaml')
      expect(Object.keys(services)).toEqual(withProxy ? ['documents', 'proxy'] : ['documents'])
      expect(services.proxy?.image ?? proxyImage).toBe(proxyImage)
      for (const { user, read_only, cap_drop } of Object.values(services)) {
        expect({ user, read_only, cap_drop }).toEqual({
          user: '10001:10001',
          read_only: true,
          cap_drop: ['ALL'],
        })
      }
      // A version at the end of every name, and nothing that is read from this machine.
      for (const { name, external } of Object.values(secrets ?? {})) {
        expect(`${name} ${external}`).toMatch(/^documents_[a-z0-9_]+_1 true$/)
      }
    }
  })

  it('are merged by docker stack config, which finds nothing to ignore', async () => {
    await expectTakenBySwarm(combinations)
  })

  it('say where the store is by settings that the runbook replaces, all of them, to go to another one', async () => {
    const { services } = await merged([base, swarm], 'compose')
    const names = Object.keys(services.documents?.environment ?? {}).filter((name) => name.startsWith('S3_'))
    const block = blocksOf(await Bun.file(resolve(root, 'docs/deployment.md')).text()).get('use-store')
    const replaced = /^where='\^S3_\((.*)\)='$/m.exec(block ?? '')?.[1]?.split('|') ?? []
    // Keys come as secrets, by version.
    const expected = names.filter((name) => !name.endsWith('_FILE'))
    expect(replaced.map((name) => `S3_${name}`).sort()).toEqual(expected.sort())
  })

  it('name every setting that has to be made, one by one', async () => {
    await expectNamed([base, swarm], Object.keys(settings))
  })
})

describe('the files of Loki, Tempo and the Collector for a Swarm', () => {
  it('are merged by Compose with every combination of overlays: one replica each, without a port of the node, on S3', async () => {
    expect(telemetryCombinations).toHaveLength(4)
    for (const files of telemetryCombinations) {
      const { services, secrets, configs, networks } = await merged(files, 'compose')
      expect(Object.keys(services).sort()).toEqual(['loki', 'otel-collector', 'tempo'])
      for (const { user, read_only, cap_drop, deploy, ports } of Object.values(services)) {
        expect({ user, read_only, cap_drop, ports }).toEqual({
          user: '10001:10001',
          read_only: true,
          cap_drop: ['ALL'],
          ports: undefined,
        })
        expect(deploy).toMatchObject({ replicas: 1, update_config: { failure_action: 'rollback' } })
      }
      const { loki, tempo } = services
      expect([loki, tempo].map((server) => server?.deploy?.update_config?.order)).toEqual([
        'stop-first',
        'stop-first',
      ])
      expect([loki?.stop_grace_period, tempo?.stop_grace_period]).toEqual(['1m30s', '1m0s'])
      // A version at the end of every name, and nothing that is read from this machine.
      expect(Object.keys(secrets ?? {})).toHaveLength(2)
      for (const { name, external } of [...Object.values(secrets ?? {}), ...Object.values(configs ?? {})]) {
        expect(`${name} ${external}`).toMatch(/^observability_[a-z0-9_]+_1 true$/)
      }
      expect(networks?.telemetry).toMatchObject({ name: 'telemetry', external: true })
    }
  })

  it('are merged by docker stack config, which finds nothing to ignore', async () => {
    await expectTakenBySwarm(telemetryCombinations)
  })

  it('name every setting that has to be made', async () => {
    await expectNamed([telemetryBase, telemetrySwarm], Object.keys(telemetrySettings))
  })

  it('meet the document service in one network', async () => {
    const { services, networks } = await merged([base, swarm, 'overlays/documents.telemetry.yaml'], 'compose')
    expect(networks?.telemetry).toMatchObject({ name: 'telemetry', external: true })
    const collector = Object.keys((await merged([telemetryBase, telemetrySwarm], 'compose')).services)
    const endpoint = new URL(services.documents?.environment?.OTEL_EXPORTER_OTLP_ENDPOINT ?? '')
    expect(collector).toContain(endpoint.hostname)
  })
})

/** Docker before 25, such as that of Debian 12, cannot tell: tests/swarm deploys them with it. */
async function expectTakenBySwarm(all: string[][]): Promise<void> {
  if (!hasStackConfig) {
    expect(await mustRun(['docker', '--version'], { env })).toMatch(/version (1\d|2[0-4])\./)
    return
  }
  for (const files of all) {
    const named = files.flatMap((file) => ['--compose-file', file])
    const { exitCode, stderr } = await runCommand(['docker', 'stack', 'config', ...named], { cwd: root, env })
    expect({ files, exitCode, stderr }).toEqual({ files, exitCode: 0, stderr: '' })
  }
}

/** Without one of the settings Compose says which it is. */
async function expectNamed(files: string[], names: string[]): Promise<void> {
  const named = files.flatMap((file) => ['--file', file])
  for (const name of names) {
    const argv = [...compose, '--project-directory', 'compose', ...named, 'config']
    const { exitCode, stderr } = await runCommand(argv, { cwd: root, env: { ...env, [name]: undefined } })
    expect({ exitCode, named: stderr.includes(name) }).toEqual({ exitCode: 1, named: true })
  }
}
