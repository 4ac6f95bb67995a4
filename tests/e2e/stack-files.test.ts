import { beforeAll, describe, expect, it } from 'bun:test'
import { resolve } from 'node:path'
import { composeCommand } from '../../compose/docker-engine.ts'
import { proxyImage } from '../../compose/proxy/pack-image.ts'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import { serviceImage } from '../../compose/service-image/pack-image.ts'
import { blocksOf } from '../integration/runbook-blocks.ts'

const root = resolve(import.meta.dir, '../..')
const base = 'compose/documents.yaml'
const swarm = 'overlays/documents.swarm.yaml'
const optional = ['proxy.haproxy', 'documents.private-ca', 'network.encrypted']
/** What has no default: nobody's, in the form that production has. */
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
const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...settings }

interface MergedService {
  image: string
  user: string
  read_only: boolean
  cap_drop: string[]
  security_opt?: string[]
  environment?: Record<string, string>
  deploy?: { replicas?: number; update_config?: { order: string; failure_action: string } }
}

interface Merged {
  services: Record<string, MergedService>
  secrets?: Record<string, { name: string; external?: boolean }>
}

/** Every choice of overlays for a Swarm. */
const combinations = optional.reduce<string[][]>(
  (chosen, overlay) => chosen.flatMap((files) => [files, [...files, `overlays/${overlay}.yaml`]]),
  [[base, swarm]],
)
let compose: string[]
let hasStackConfig: boolean

beforeAll(async () => {
  compose = await composeCommand(env)
  hasStackConfig = (await runCommand(['docker', 'stack', 'config', '--help'], { env })).stdout.includes(
    'Outputs the final',
  )
}, 900_000)

async function merged(files: string[], folder: string): Promise<Merged> {
  const named = files.flatMap((file) => ['--file', file])
  const argv = [...compose, '--project-directory', folder, ...named, 'config', '--format', 'json']
  return JSON.parse(await mustRun(argv, { cwd: root, env }))
}

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
  }, 60_000)

  it('are merged by Compose for a Swarm, whatever goes beside', async () => {
    expect(combinations).toHaveLength(8)
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
  }, 120_000)

  it('are merged by docker stack config, which finds nothing to ignore', async () => {
    if (!hasStackConfig) {
      // Docker before 25, such as that of Debian 12: tests/swarm deploys them with it.
      const version = await mustRun(['docker', '--version'], { env })
      expect(version).toMatch(/version (1\d|2[0-4])\./)
      return
    }
    for (const files of combinations) {
      const named = files.flatMap((file) => ['--compose-file', file])
      const { exitCode, stderr } = await runCommand(['docker', 'stack', 'config', ...named], {
        cwd: root,
        env,
      })
      expect({ files, exitCode, stderr }).toEqual({ files, exitCode: 0, stderr: '' })
    }
  }, 60_000)

  it('say where the store is by settings that the runbook replaces, all of them, to go to another one', async () => {
    const { services } = await merged([base, swarm], 'compose')
    const names = Object.keys(services.documents?.environment ?? {}).filter((name) => name.startsWith('S3_'))
    const block = blocksOf(await Bun.file(resolve(root, 'compose/deployment.md')).text()).get('use-store')
    const replaced = /^where='\^S3_\((.*)\)='$/m.exec(block ?? '')?.[1]?.split('|') ?? []
    // Keys come as secrets, by version.
    const expected = names.filter((name) => !name.endsWith('_FILE'))
    expect(replaced.map((name) => `S3_${name}`).sort()).toEqual(expected.sort())
  }, 60_000)

  it('name every setting that has to be made, one by one', async () => {
    for (const name of Object.keys(settings)) {
      const without = { ...env, [name]: undefined }
      const argv = [...compose, '--project-directory', 'compose', '--file', base, '--file', swarm, 'config']
      const { exitCode, stderr } = await runCommand(argv, { cwd: root, env: without })
      expect({ exitCode, named: stderr.includes(name) }).toEqual({ exitCode: 1, named: true })
    }
  }, 60_000)
})
