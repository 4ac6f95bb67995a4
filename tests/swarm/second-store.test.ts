import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { StoreCredentials } from '../../compose/servers/running-store.ts'
import { inParallel } from '../../service/documents/in-order.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { blocksOf } from '../support/commands/runbook-blocks.ts'
import { keepPrinted } from '../support/printed.ts'
import { digestOf, KiB, randomDocument } from '../support/service/sample-documents.ts'
import { sendTicket, type Ticket } from '../support/service/ticket-upload.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { startPrivateStore } from '../support/stores/store.ts'
import { keysOf } from '../support/stores/store-contents.ts'
import { followedElsewhere } from '../support/swarm/followed-blocks.ts'
import { startRelay } from '../support/swarm/relay.ts'
import { contentType, storedThrough, type } from '../support/swarm/stored-documents.ts'
import { openSwarmScene, printedBy } from '../support/swarm/swarm-scene.ts'
import { startTraffic, type Traffic } from '../support/swarm/switch-traffic.ts'

const service = 'documents_documents'
const minutes = 60_000
// Time limits catch what hangs, and are far above what a busy machine needs.
setDefaultTimeout(20 * minutes)
const runbook = resolve(import.meta.dir, '../../docs/second-store.md')
const text = await Bun.file(runbook).text()
const blocks = blocksOf(text)
const run = new Set(['setup'])

/** The key version of the deployment. */
let keyVersion = 1

type StoreSettings = Record<`S3_${string}`, string>

const scene = await openSwarmScene()
const { engine, store, storeUrl, bucket } = scene
const minio = await startPrivateStore({ tls: scene.tls })
const minioRelay = await startRelay(engine.hostAddress, Number(new URL(minio.endpoint).port))
const primary = {
  ...{ S3_ENDPOINT: storeUrl, S3_PUBLIC_ENDPOINT: store.endpoint },
  ...{ S3_REGION: store.region, S3_FORCE_PATH_STYLE: 'true', S3_BUCKET_DOCS: bucket },
}
const onMinio = {
  ...{ S3_ENDPOINT: `https://${engine.hostAddress}:${minioRelay.port}` },
  ...{ S3_REGION: minio.region, S3_FORCE_PATH_STYLE: 'true', S3_BUCKET_DOCS: await freshBucket(minio) },
}
const fallback = {
  ...primary,
  ...{ S3_BUCKET_DOCS: await freshBucket(store, 'fallback/docs/') },
  ...{ S3_PREFIX_DOCS: 'fallback/docs/', S3_CONNECTIONS_MAX: '32' },
}
const withMinio = await storesFolder('minio', onMinio, minio)
const withFallback = await storesFolder('fallback', fallback, store)
const stored = await storedThrough(scene)
for (const block of ['image', 'secrets', 'deploy', 'smoke']) await followDeployment(block)

afterAll(async () => {
  for (const id of await containers()) keepPrinted('swarm', await printedBy(scene, id))
  await scene?.stop()
  await minioRelay?.stop()
  await minio?.stop()
}, 5 * minutes)

/** As the runbook shows it, with the keys in files of their own. */
async function storesFolder(
  name: string,
  second: StoreSettings,
  secondKey: StoreCredentials,
): Promise<string> {
  const folder = join(scene.folder, `stores-${name}`)
  await mkdir(folder, { mode: 0o700 })
  await storeFiles(folder, 'primary', primary, scene.store)
  await storeFiles(folder, 'second', second, secondKey)
  return folder
}

async function storeFiles(folder: string, name: string, settings: StoreSettings, key: StoreCredentials) {
  const [keyFile, secretFile] = [join(folder, `${name}-key`), join(folder, `${name}-secret`)]
  await Bun.write(keyFile, `${key.accessKeyId}\n`)
  await Bun.write(secretFile, `${key.secretAccessKey}\n`)
  const all = {
    ...settings,
    ...{ S3_ACCESS_KEY_ID_FILE: keyFile, S3_SECRET_ACCESS_KEY_FILE: secretFile },
    // Of this machine: the stack has its own.
    S3_CA_FILE: join(scene.folder, 'ca.pem'),
  }
  const lines = Object.entries(all).map(([variable, value]) => `${variable}=${value}\n`)
  await Bun.write(join(folder, `${name}.env`), lines.join(''))
}

async function containers(): Promise<string[]> {
  const label = 'label=com.docker.stack.namespace=documents'
  const ids = await scene.docker('ps', '--all', '--quiet', '--no-trunc', '--filter', label)
  return ids.split('\n').filter((id) => id !== '')
}

/** Runs a block of the deployment's runbook that has to succeed. */
async function followDeployment(block: string, env: Record<string, string> = {}): Promise<void> {
  const { exitCode, out, err } = await scene.follow(block, env)
  expect({ block, exitCode, out, err }).toMatchObject({ exitCode: 0 })
}

/** Runs commands after those of `setup`, as an operator who follows the runbook does. */
function runWith(stores: string, commands: string) {
  return scene.run(`${blocks.get('setup')}\n${commands}`, { STORES: stores })
}

/** Runs a block of this runbook that has to succeed. */
async function follow(block: string, stores: string): Promise<string> {
  const commands = blocks.get(block)
  if (commands === undefined) throw new Error(`the runbook has no block ${block}`)
  run.add(block)
  const { exitCode, out, err } = await runWith(stores, commands)
  expect({ block, exitCode, out, err }).toMatchObject({ exitCode: 0 })
  return out
}

/** The step of the runbook that is the deployment's: the service goes over, and gets that store's settings alone. */
async function goOver(stores: string, name: 'primary' | 'second', settings: StoreSettings): Promise<void> {
  keyVersion += 1
  const env = { STORE_ENV: join(stores, `${name}.env`), NEW_KEY_VERSION: String(keyVersion) }
  await followDeployment('use-store', env)
  expect(await deployedSettings()).toEqual({
    ...{ S3_PUBLIC_ENDPOINT: settings.S3_ENDPOINT ?? '', S3_PREFIX_DOCS: 'docs/' },
    ...{ S3_FORCE_PATH_STYLE: 'false', S3_INSECURE: 'false', S3_CONNECTIONS_MAX: '64' },
    ...settings,
    S3_CA_FILE: '/etc/private-ca.pem',
  })
}

/** Returns the settings except the paths of the keys, which are secrets under the same name in every version. */
async function deployedSettings(): Promise<StoreSettings> {
  const format = '{{json .Spec.TaskTemplate.ContainerSpec.Env}}'
  const env = JSON.parse(await scene.docker('service', 'inspect', '--format', format, service)) as string[]
  const pairs = env.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)])
  return Object.fromEntries(pairs.filter(([name]) => /^S3_(?!.*_KEY)/.test(name ?? '')))
}

async function expectNoneFailed(traffic: Traffic): Promise<void> {
  const report = await traffic.stop()
  expect(report).toMatchObject({ failures: [] })
  expect(report.uploads).toBeGreaterThan(10)
  expect(report.reads).toBeGreaterThan(100)
}

/** Below the documents of `acme`. */
async function post(path: string, body: unknown): Promise<Response> {
  return fetch(`${scene.url}/v1/tenants/acme/documents/${type}/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${await scene.issuer.token()}`,
      'content-type': 'application/json',
    },
    tls: { ca: scene.ca },
  })
}

/** Asks for a ticket and sends the bytes; what remains is to complete. */
async function uploadedByTicket(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Ticket> {
  const asked = await post(`${name}/uploads`, { digest: digestOf(bytes), size: bytes.length, contentType })
  expect(asked.status).toBe(201)
  const ticket = (await asked.json()) as Ticket
  expect((await sendTicket(ticket, bytes, { ca: scene.ca })).ok).toBe(true)
  return ticket
}

async function completed(name: string, { id, ticket }: Ticket): Promise<number> {
  const answer = await post(`${name}/uploads/${id}/complete`, { ticket })
  await answer.body?.cancel()
  return answer.status
}

/** Empties the bucket with the provider's own tools, as an operator does. */
async function emptyPrimary(): Promise<void> {
  const { store: connection, bucket } = scene
  const store = createS3ObjectStore({ ...connection, bucket, connectionsMax: 8 })
  const keys = await keysOf(store, '')
  await inParallel(keys, 8, (key) => store.delete(key))
  store.close()
}

describe('the runbook of the second store, with the service on a real Swarm', () => {
  const ticketBytes = randomDocument(20 * KiB)
  let ticket: Ticket

  it('keeps a MinIO behind TLS in step with Ceph RGW', async () => {
    await stored.fill()
    expect(stored.versions.length).toBeGreaterThan(300)
    await follow('look', withMinio)
    const out = await follow('keep-warm', withMinio)
    expect(out).toContain(`versions: ${stored.versions.length} copied`)
  })

  it('rolls the service back to it: no request fails meanwhile, and every document reads by its digest', async () => {
    await stored.upload('last-minute', randomDocument(10 * KiB))
    ticket = await uploadedByTicket('by-ticket', ticketBytes)
    const page = await stored.client.listPage({ limit: 50 })
    await follow('last-copy', withMinio)
    const traffic = startTraffic(stored, 'while-rolled-back')
    await goOver(withMinio, 'second', onMinio)
    await follow('try-second', withMinio)
    await expectNoneFailed(traffic)
    await follow('rest-of-primary', withMinio)
    await stored.expectAll()
    // The signing key has not changed: a cursor stays valid, and so does a ticket, though its bytes are absent.
    const next = await stored.client.listPage({ limit: 50, cursor: page.nextCursor ?? '' })
    const rows = [...page.rows, ...next.rows].map(({ name, digest }) => `${name} ${digest}`)
    expect(new Set(rows).size).toBe(100)
    expect(await completed('by-ticket', ticket)).toBe(404)
  })

  it('copies back what was written meanwhile, also while it was copying', async () => {
    for (const name of ['snapshot-1', 'snapshot-4', 'new-1', 'new-2']) {
      await stored.upload(name, randomDocument(20 * KiB))
    }
    await stored.pointAt('snapshot-4', 'production', stored.latestOf('snapshot-4'))
    const traffic = startTraffic(stored, 'while-copied-back')
    await follow('copy-back', withMinio)
    await stored.upload('between', randomDocument(KiB))
    await stored.pointAt('snapshot-5', 'production', stored.latestOf('snapshot-5'))
    await goOver(withMinio, 'primary', primary)
    await expectNoneFailed(traffic)
    const out = await follow('copy-back-rest', withMinio)
    expect(out).toContain('; 0 differ\n')
    await stored.expectAll()
    expect(await completed('by-ticket', ticket)).toBe(201)
    stored.record('by-ticket', ticketBytes)
  })

  it('brings an emptied primary back, and compares every digest and every tag', async () => {
    await follow('drill-before', withMinio)
    await emptyPrimary()
    const emptied = await runWith(withMinio, 'both bun run compare --json || test $? -eq 1')
    expect(emptied.exitCode).toBe(0)
    const { versions, tags } = stored
    const { differing, records, ...counts } = JSON.parse(emptied.out.trimEnd().split('\n').at(-1) ?? '')
    expect(counts).toMatchObject({ versions: versions.length, tags: tags.size })
    expect(differing).toBe(versions.length + tags.size + records)
    expect((await stored.client.listPage()).rows).toEqual([])
    const out = await follow('drill-restore', withMinio)
    expect(out).toContain(`✓ ${versions.length} versions and ${tags.size} tags`)
    expect(out).toContain(`✓ ${versions.length} versions, `)
    await stored.expectAll()
  })

  it('rolls the service back to a fallback bucket of the same store, too', async () => {
    await follow('look', withFallback)
    const out = await follow('keep-warm', withFallback)
    expect(out).toContain(`versions: ${stored.versions.length} copied`)
    await follow('last-copy', withFallback)
    const traffic = startTraffic(stored, 'while-on-fallback')
    await goOver(withFallback, 'second', fallback)
    await follow('try-second', withFallback)
    await expectNoneFailed(traffic)
    await follow('rest-of-primary', withFallback)
    await stored.expectAll()
  })

  it('has no command that was not run here', () => {
    expect([...run].sort()).toEqual([...blocks.keys()].sort())
    expect(text.match(/```sh/g)).toHaveLength(blocks.size)
    expect([...scene.followed]).toEqual(
      expect.arrayContaining([...followedElsewhere['second-store.test.ts']]),
    )
  })
})
