import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { join } from 'node:path'
import { bunImage, serviceImage } from '../../compose/images/service/pack-image.ts'
import { runCommand } from '../../compose/run-command.ts'
import { until } from '../../observability/proof/until.ts'
import { recordFigure } from '../support/figures.ts'
import { keepPrinted } from '../support/printed.ts'
import { registerSecret } from '../support/secrets.ts'
import { followedElsewhere } from '../support/swarm/followed-blocks.ts'
import { startLoad } from '../support/swarm/load.ts'
import { openSwarmScene, printedBy, runbook, type SwarmScene } from '../support/swarm/swarm-scene.ts'

const service = 'documents_documents'
const nextImage = serviceImage.replace(/:.*/, ':next')
const minutes = 60_000
// Time limits catch what hangs, and are far above what a busy machine needs.
setDefaultTimeout(30 * minutes)
const requestsMin = 10_000

let scene: SwarmScene
/** What must be seen nowhere, by what it is. */
const secrets = new Map<string, string>()
/** Every container of the stack that there was, and what it printed. */
const printed = new Map<string, string>()

beforeAll(async () => {
  scene = await openSwarmScene()
  await keepSecret('s3-secret-access-key')
  secrets.set(
    'the private key of TLS',
    (await textOf('tls-certificate.pem')).split('PRIVATE KEY-----\n')[1]?.slice(0, 60) ?? '',
  )
}, 15 * minutes)

afterAll(async () => {
  for (const text of printed.values()) keepPrinted('swarm', text)
  await scene?.stop()
}, 5 * minutes)

const textOf = (name: string) => Bun.file(join(scene.folder, name)).text()

async function keepSecret(name: string): Promise<void> {
  secrets.set(`${name} ${secrets.size}`, await textOf(name))
}

/** Runs a block that has to succeed. */
async function follow(block: string, env: Record<string, string> = {}): Promise<string> {
  const { exitCode, out, err } = await scene.follow(block, env)
  expect({ block, exitCode, out, err }).toMatchObject({ exitCode: 0 })
  return out
}

/** Containers of the stack's tasks, the ended ones included. */
async function containers(...filters: string[]): Promise<string[]> {
  const named = filters.flatMap((filter) => ['--filter', filter])
  const label = 'label=com.docker.stack.namespace=documents'
  const ids = await scene.docker('ps', '--all', '--quiet', '--no-trunc', '--filter', label, ...named)
  return ids.split('\n').filter((id) => id !== '')
}

const running = () => containers('status=running', `label=com.docker.swarm.service.name=${service}`)

/** Swarm removes old tasks: what they printed is kept before. */
async function keepLogs(): Promise<void> {
  for (const id of await containers()) printed.set(id, await printedBy(scene, id))
}

/** A secret as a task of the service reads it. */
async function mounted(name: string): Promise<string> {
  const [task = ''] = await running()
  const pid = (await scene.docker('inspect', '--format', '{{.State.Pid}}', task)).trim()
  return Bun.file(`/proc/${pid}/root/run/secrets/${name}`).text()
}

async function imageOf(): Promise<string> {
  const format = '{{.Spec.TaskTemplate.ContainerSpec.Image}}'
  return (await scene.docker('service', 'inspect', '--format', format, service)).trim()
}

async function status(path: string): Promise<number> {
  const signal = AbortSignal.timeout(10_000)
  const response = await fetch(`${scene.url}${path}`, { tls: { ca: scene.ca }, signal }).catch(() => null)
  await response?.body?.cancel()
  return response?.status ?? 0
}

async function untilStatus(path: string, expected: number): Promise<void> {
  const look = async () => ((await status(path)) === expected ? expected : null)
  expect(await until(60, look)).toBe(expected)
}

describe('the document service on a real Swarm, against Ceph RGW, by its runbook', () => {
  it('is deployed with secrets, and works by way of the proxy', async () => {
    expect(await follow('image')).toContain(`packed ${serviceImage}`)
    await follow('secrets')
    await follow('deploy')
    expect(await running()).toHaveLength(2)
    const ticketKey = await mounted('ticket_signing_key')
    registerSecret(ticketKey)
    secrets.set('the key of the tickets', ticketKey)
    expect(await follow('smoke')).not.toContain('✗')
    expect(await follow('look')).toContain('2/2')
  })

  it('runs every task without root, on a read-only file system and without a capability', async () => {
    const ids = await containers('status=running')
    expect(ids).toHaveLength(3)
    for (const id of ids) {
      const [one] = JSON.parse(await scene.docker('inspect', id))
      expect(one.HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'], Privileged: false })
      expect(one.HostConfig.Memory).toBeGreaterThan(0)
      expect(one.Config.User).toBe('10001:10001')
      const status = await Bun.file(`/proc/${one.State.Pid}/status`).text()
      expect(status).toMatch(/^Uid:\s+10001\s+10001\s+10001\s+10001$/m)
      expect(status).toMatch(/^CapEff:\s+0+$/m)
    }
  })

  it('loses no request while it is updated, refuses a broken image, goes back, and gets a new key', async () => {
    await scene.docker('tag', serviceImage, nextImage)
    const load = await startLoad(scene, requestsMin)
    await load.answers(500)

    // Bun alone: it ends at once, as a service with a defect does.
    const broken = await scene.follow('update', { NEW_IMAGE: bunImage })
    expect(broken.exitCode).toBe(1)
    expect(broken.err).toEndWith(`\nerror: ${service}: rollback_completed\n`)
    expect(await imageOf()).toBe(serviceImage)
    await keepLogs()

    await follow('update', { NEW_IMAGE: nextImage })
    expect(await imageOf()).toBe(nextImage)
    await keepLogs()
    await follow('rollback')
    expect(await imageOf()).toBe(serviceImage)
    await writeIntoStack('DOCUMENTS_IMAGE', serviceImage)
    await keepLogs()

    const old = await textOf('s3-access-key-id')
    await useNextStoreKey()
    await follow('rotate-store-key', { NEW_KEY_VERSION: '2' })
    await removeStoreKey(old)
    await follow('forget-store-key', { OLD_KEY_VERSION: '1' })
    await keepLogs()
    await load.answers(500)

    const report = await load.finish()
    expect(report).toMatchObject({ failed: 0, failures: [] })
    expect(report.requests).toBeGreaterThanOrEqual(requestsMin)
    expect(Object.keys(report.byKind).sort()).toEqual([
      'get by digest',
      'get by tag',
      'head',
      'list',
      'put',
      'tag',
    ])
    recordFigure('update', { name: 'requests without a loss', value: report.requests, unit: '' })
  })

  it('replaces a task that was killed', async () => {
    const before = await running()
    expect(before).toHaveLength(2)
    await keepLogs()
    await scene.docker('kill', before[0] ?? '')
    const replaced = await until(120, async () => {
      const now = await running()
      return now.length === 2 && !now.includes(before[0] ?? '') ? now : null
    })
    expect(replaced).toHaveLength(2)
    await untilStatus('/readyz', 200)
  })

  it('restarts nothing while its store is away for a minute, and is ready again by itself', async () => {
    const before = await containers('status=running')
    scene.relay.setAway(true)
    await untilStatus('/readyz', 503)
    await Bun.sleep(60_000)
    expect(await status('/readyz')).toBe(503)
    scene.relay.setAway(false)
    await untilStatus('/readyz', 200)
    expect((await containers('status=running')).sort()).toEqual(before.sort())
    expect(await follow('smoke')).not.toContain('✗')
  })

  it('takes a new certificate', async () => {
    const proxy = await containers('status=running', 'label=com.docker.swarm.service.name=documents_proxy')
    await follow('rotate-certificate', { NEW_TLS_VERSION: '2' })
    const now = await containers('status=running', 'label=com.docker.swarm.service.name=documents_proxy')
    expect(now).toHaveLength(1)
    expect(now).not.toEqual(proxy)
    await untilStatus('/readyz', 200)
  })

  it('shows no secret: not in what Docker tells of containers and services, not in a log', async () => {
    await keepLogs()
    const told = await scene.docker('inspect', ...(await containers()))
    const services = await scene.docker('service', 'inspect', service, 'documents_proxy')
    const all = [told, services, ...printed.values()]
    expect(told).toContain('S3_SECRET_ACCESS_KEY_FILE=/run/secrets/s3_secret_access_key')
    expect(printed.size).toBeGreaterThan(8)
    expect([...printed.values()].some((text) => text.includes('"service.draining"'))).toBe(true)
    expect([...secrets.values()].every((secret) => secret.length >= 32)).toBe(true)
    const leaked = [...secrets].filter(([, secret]) => all.some((text) => text.includes(secret)))
    expect(leaked.map(([what]) => what)).toEqual([])
    // Where it is said to be, it is: the search knows what it is looking for.
    expect(await mounted('s3_secret_access_key')).toBe(await textOf('s3-secret-access-key'))
  })

  it('was taken through every block of its runbook that no other test follows', () => {
    const elsewhere: string[] = Object.values(followedElsewhere).flat()
    const blocks = [...runbook.keys()].filter((block) => !elsewhere.includes(block))
    expect([...scene.followed, 'setup'].sort()).toEqual(blocks.sort())
  })
})

/** What the runbook has people write there by hand. */
async function writeIntoStack(name: string, value: string): Promise<void> {
  const settings = await textOf('stack.env')
  await Bun.write(
    join(scene.folder, 'stack.env'),
    settings.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${value}`),
  )
}

async function useNextStoreKey(): Promise<void> {
  await Bun.write(join(scene.folder, 's3-access-key-id'), scene.nextKey.accessKeyId)
  await Bun.write(join(scene.folder, 's3-secret-access-key'), scene.nextKey.secretAccessKey)
  await keepSecret('s3-secret-access-key')
}

/** As a provider does. */
async function removeStoreKey(accessKeyId: string): Promise<void> {
  const remove = ['radosgw-admin', 'key', 'rm', '--key-type=s3', `--access-key=${accessKeyId}`]
  expect((await runCommand(remove, { env: scene.store.adminEnv })).exitCode).toBe(0)
}
