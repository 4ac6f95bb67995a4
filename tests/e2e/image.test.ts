import { afterAll, describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { bunImage, sbomPath } from '../../compose/images/service/pack-image.ts'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import { until } from '../../observability/proof/until.ts'
import { folderForTests } from '../support/folder.ts'
import { keepPrinted } from '../support/printed.ts'
import { registerSecret } from '../support/secrets.ts'
import { dockerForTests } from '../support/stores/docker.ts'
import { packProxyImage } from '../support/swarm/proxy-image.ts'
import { imageSecrets } from '../tools/checks/image-secrets.ts'
import { plantedSecrets } from '../tools/checks/planted-secrets.ts'

const image = `cloudlysis/documents:test-${process.pid}`
const container = `documents-test-${process.pid}`
const canary = `${container}-canary`
/** A random secret: these services have no store, and only have to be alive. */
const secret = crypto.randomUUID() + crypto.randomUUID()

const docker = (...args: string[]) => mustRun(['docker', ...args], { env })
const inspected = (format: string) =>
  docker('inspect', '--format', format, container).then((text) => text.trim())

const env = await dockerForTests()
const folder = await folderForTests('cloudlysis-image-test-')
registerSecret(secret)
const script = join(import.meta.dir, '../../compose/images/service/image.ts')
const flags = ['--tag', image, '--sbom', join(folder, 'sbom.json'), '--json']
const report: { image: string; bytes: number; parts: number; bun: { image: string; bytes: number } } =
  JSON.parse(await mustRun([process.execPath, script, ...flags], { env }))
await Bun.write(join(folder, 'secret'), secret)
await mustRun(['chown', '10001:10001', join(folder, 'secret')])
await run()

afterAll(async () => {
  await runCommand(['docker', 'rm', '--force', container], { env })
  await runCommand(['docker', 'rmi', `${image}-next`, `${image}-one`, image], { env })
})

/** As hardened as it gets, with a network of its own only: it has no store to talk to. */
async function run(): Promise<void> {
  const hardened = [
    '--read-only',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges:true',
    '--network',
    'none',
  ]
  const quick = ['--health-interval', '1s', '--health-start-period', '60s']
  const mount = ['--volume', `${join(folder, 'secret')}:/run/secrets/s3:ro`]
  const settings = Object.entries({
    S3_ENDPOINT: 'https://store.example',
    S3_REGION: 'us-east-1',
    S3_ACCESS_KEY_ID: 'documents',
    S3_SECRET_ACCESS_KEY_FILE: '/run/secrets/s3',
    S3_BUCKET_DOCS: 'documents',
    AUTH_ISSUER: 'https://login.example',
    AUTH_AUDIENCE: 'documents',
    AUTH_JWKS_URL: 'https://login.example/keys',
    AUTH_CLIENT_ID: 'documents-ui',
  }).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  await docker('run', '--detach', '--name', container, ...hardened, ...quick, ...mount, ...settings, image)
}

/** Puts the files of a folder of the test above an image, as one more layer, in `/etc/canary`. */
async function addLayer(name: string, base: string, changes: string[] = []): Promise<void> {
  await docker('create', '--name', canary, base)
  await docker('cp', `${join(folder, name)}/.`, `${canary}:/etc/canary`)
  await docker('commit', ...changes, canary, `${image}-${name}`)
  await docker('rm', canary)
}

/** Paths in the image, from the file systems of its layers. */
async function pathsIn(): Promise<string[]> {
  const tar = join(folder, 'container.tar')
  await docker('export', '--output', tar, container)
  return (await mustRun(['tar', '--list', '--file', tar])).split('\n')
}

describe("the service's image", () => {
  it('is not much larger than Bun alone on the same base, and says by how much', () => {
    expect(report.image).toBe(image)
    expect(report.bun.image).toBe(bunImage)
    expect(report.bytes - report.bun.bytes).toBeLessThan(10 * 1024 * 1024)
  })

  it('gets healthy by its own program, on a read-only file system, without root and without a capability', async () => {
    await untilIs('{{.State.Health.Status}}', 'healthy')
    expect(await inspected('{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}')).toBe('true [ALL]')
    const status = await readStatus()
    expect(status).toMatch(/^Uid:\s+10001\s+10001\s+10001\s+10001$/m)
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
  })

  it('is asked whether it lives, and not whether its store does', async () => {
    // There is no store, and never was.
    expect(await inspected('{{.State.Health.Status}} {{.RestartCount}}')).toBe('healthy 0')
    expect(
      (await runCommand(['docker', 'exec', container, '/documents', '--health'], { env })).exitCode,
    ).toBe(0)
    const elsewhere = ['docker', 'exec', '--env', 'PORT=1', container, '/documents', '--health']
    expect((await runCommand(elsewhere, { env })).exitCode).toBe(1)
  })

  it('has no shell, no package manager, no set-user-id program and no folder to write to except the empty one for the audit', async () => {
    const paths = await pathsIn()
    expect(paths).toContain('documents')
    expect(paths.filter((path) => /(^|\/)(sh|bash|dash|busybox|apt|dpkg|wget|curl)$/.test(path))).toEqual([])
    const modes = await mustRun(['tar', '--list', '--verbose', '--file', join(folder, 'container.tar')])
    const ours = modes.split('\n').filter((line) => /documents|\/lib|sbom|etc\/passwd/.test(line))
    expect(ours.length).toBeGreaterThan(7)
    expect(ours.filter((line) => /^(...s|......s|-.......w)/.test(line))).toEqual([])
    const open = modes.split('\n').filter((line) => /^d.......w/.test(line))
    expect(open.map((line) => line.split(' ').at(-1))).toEqual(['audit/'])
    expect(paths.filter((path) => path.startsWith('audit'))).toEqual(['audit/'])
  })

  it('describes itself by labels and an SBOM, which is also a file next to it', async () => {
    const labels = JSON.parse(await inspected('{{json .Config.Labels}}')) as Record<string, string>
    expect(labels['org.opencontainers.image.title']).toBe('cloudlysis-documents')
    expect(labels['org.opencontainers.image.revision']).toMatch(/^[0-9a-f]{40}(-modified)?$|^unknown$/)
    expect(labels['cloudlysis.base']).toMatch(/libc6=\d/)
    await docker('cp', `${container}:${sbomPath}`, join(folder, 'inside.json'))
    const inside = await Bun.file(join(folder, 'inside.json')).text()
    expect(inside).toBe(await Bun.file(join(folder, 'sbom.json')).text())
    const { bomFormat, components } = JSON.parse(inside) as {
      bomFormat: string
      components: { name: string; version: string; purl: string }[]
    }
    expect(bomFormat).toBe('CycloneDX')
    expect(components).toHaveLength(report.parts)
    const { dependencies } = (await import('../../package.json')) as { dependencies: Record<string, string> }
    for (const [name, version] of Object.entries(dependencies)) {
      expect(components.map(({ purl }) => purl)).toContain(`pkg:npm/${name.replace('@', '%40')}@${version}`)
    }
    expect(components.map(({ name }) => name)).toContain('libc6')
    expect(components.find(({ name }) => name === 'bun')?.version).toBe(Bun.version)
  })

  it('shows its secret nowhere: not in what Docker tells, not in its history, not in its log', async () => {
    const told = [
      await docker('inspect', container),
      await docker('history', '--no-trunc', image),
      await logs(),
    ]
    expect(told[0]).toContain('/run/secrets/s3')
    expect(told.filter((text) => text.includes(secret))).toEqual([])
  })

  it('holds nothing that looks like a secret, and neither does the image of the proxy', async () => {
    const ours = await imageSecrets(image, env)
    expect(ours.found).toEqual([])
    const paths = ours.files.map((file) => file.split('!')[1]?.replace(/^\.\//, ''))
    expect(paths).toEqual(expect.arrayContaining(['documents', 'etc/passwd', sbomPath.slice(1)]))
    expect(ours.bytes).toBeGreaterThan(report.bytes)
    const proxy = await imageSecrets(await packProxyImage(env, () => {}), env)
    expect(proxy.found).toEqual([])
    expect(proxy.files.some((file) => file.endsWith('usr/local/sbin/haproxy'))).toBe(true)
  })

  it('would be seen to hold one: in a layer, though the next one hides it, in a name, and in what describes it', async () => {
    const planted = await plantedSecrets()
    const inName = planted['an AWS access key id'] ?? ''
    await Bun.write(join(folder, 'one', inName), `one\n${planted['a private key']}`)
    await Bun.write(join(folder, 'next', inName), 'nothing')
    await addLayer('one', image)
    const changes = [
      ...['--change', `ENV ${planted['a secret in the environment']}`],
      ...['--change', `LABEL note="${planted['a bearer token']}"`],
      ...['--message', planted['a token of a Swarm'] ?? ''],
    ]
    await addLayer('next', `${image}-one`, changes)
    const { found } = await imageSecrets(`${image}-next`, env)
    // Newer engines name their layers and configurations otherwise.
    const named = /(?:blobs\/sha256\/)?[0-9a-f]{64}(?:\/layer\.tar|\.json)?/
    const told = found.map((line) => line.replace(named, 'it'))
    expect(told).toContain('it!a file of such a name, line 2: looks like a private key')
    expect(told).toContain('it, the name of a file: looks like an AWS access key id')
    expect(told).toContain('it, line 1: looks like a secret in the environment')
    expect(told).toContain('it, line 1: looks like a bearer token')
    expect(told).toContain('it, line 1: looks like a token of a Swarm')
    expect(found.join('\n')).not.toContain(inName)
  })

  it('drains on SIGTERM and ends with 0', async () => {
    await docker('kill', '--signal', 'TERM', container)
    await untilIs('{{.State.Running}}', 'false')
    expect(await inspected('{{.State.ExitCode}}')).toBe('0')
    const printed = await logs()
    expect(printed).toContain('"service.draining"')
    expect(printed).toContain('"service.stopped"')
    keepPrinted('image', printed)
  })
})

async function untilIs(format: string, expected: string): Promise<void> {
  const look = async () => ((await inspected(format)) === expected ? expected : null)
  expect(await until(60, look)).toBe(expected)
}

async function logs(): Promise<string> {
  const { stdout, stderr } = await runCommand(['docker', 'logs', container], { env })
  return stdout + stderr
}

async function readStatus(): Promise<string> {
  return Bun.file(`/proc/${await inspected('{{.State.Pid}}')}/status`).text()
}
