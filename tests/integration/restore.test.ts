import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDocumentsClient, type DocumentsClient } from '../../service/client/client.ts'
import type { Digest } from '../../service/documents/document-ref.ts'
import { inParallel } from '../../service/documents/in-parallel.ts'
import { type InProcessService, serviceInProcess } from '../servers/service-for-tests.ts'
import { storeForTests } from '../servers/store.ts'
import { blocksOf, folderWithBun, runCommands } from './runbook-blocks.ts'
import { digestOf, KiB, MiB, randomDocument } from './sample-documents.ts'
import { keysOf } from './store-contents.ts'
import { type Bucket, pairVariables, runScriptJson, variablesOf } from './store-pair-scene.ts'

const runbook = await Bun.file(new URL('../../service/runbooks/second-store.md', import.meta.url)).text()
const blocks = blocksOf(runbook)
const run = new Set<string>()

/** On Ceph RGW, as in production. */
let primary: InProcessService
/** On MinIO. */
let second: InProcessService
let folder: string
let path: string

/** What clients have been told is stored: they must find it wherever the service is. */
const expected: { type: string; name: string; digest: Digest; size: number }[] = []
const expectedTags = new Map<string, { type: string; name: string; tag: string; digest: Digest }>()

beforeAll(async () => {
  const [rgw, minio] = await Promise.all([storeForTests('ceph-rgw'), storeForTests('minio')])
  ;[primary, second] = await Promise.all([
    serviceInProcess({ store: rgw }),
    serviceInProcess({ store: minio }),
  ])
  folder = await mkdtemp(join(tmpdir(), 'restore-'))
  path = `${await folderWithBun(folder)}:${process.env.PATH}`
  await envFile('primary', primary.connection)
  await envFile('second', second.connection)
}, 600_000)

afterAll(async () => {
  await primary.stop()
  await second.stop()
  await rm(folder, { recursive: true })
})

/** As the runbook shows it, with the secret in a file of its own. */
async function envFile(name: string, place: Bucket): Promise<void> {
  const { S3_SECRET_ACCESS_KEY: secret = '', ...others } = variablesOf(place)
  await Bun.write(join(folder, `${name}-secret`), `${secret}\n`)
  const variables = { ...others, S3_SECRET_ACCESS_KEY_FILE: join(folder, `${name}-secret`) }
  const lines = Object.entries(variables).map(([variable, value]) => `${variable}=${value}\n`)
  await Bun.write(join(folder, `${name}.env`), lines.join(''))
}

/** Runs a block of the runbook while `service` is the one that is deployed. */
async function follow(name: string, service: InProcessService): Promise<string> {
  const text = blocks.get(name)
  if (text === undefined) throw new Error(`the runbook has no block ${name}`)
  run.add(name)
  const tokenFile = join(folder, 'token')
  await Bun.write(tokenFile, `${await service.token()}\n`)
  const env = {
    ...{ PATH: path, HOME: process.env.HOME ?? '', STORES: folder },
    ...{ DOCUMENTS_URL: service.url, DOCUMENTS_TOKEN_FILE: tokenFile, DOCUMENTS_TENANT: 'acme' },
  }
  const { exitCode, out, err } = await runCommands(`${blocks.get('setup')}\n${text}`, env)
  run.add('setup')
  expect({ name, exitCode, out, err }).toMatchObject({ exitCode: 0 })
  return out
}

async function clientOf(service: InProcessService): Promise<DocumentsClient> {
  return createDocumentsClient({ url: service.url, tenant: 'acme', token: await service.token() })
}

async function upload(
  documents: DocumentsClient,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  const ref = { type: 'snapshots', name }
  await documents.put(ref, bytes, { contentType: 'text/x-snapshot' })
  expected.push({ ...ref, digest: digestOf(bytes), size: bytes.length })
  expectedTags.set(`${name} latest`, { ...ref, tag: 'latest', digest: digestOf(bytes) })
}

async function pointAt(documents: DocumentsClient, name: string, tag: string, digest: Digest): Promise<void> {
  await documents.putTag({ type: 'snapshots', name }, tag, digest)
  expectedTags.set(`${name} ${tag}`, { type: 'snapshots', name, tag, digest })
}

function latestOf(name: string): Digest {
  const tag = expectedTags.get(`${name} latest`)
  if (tag === undefined) throw new Error(`${name} was not uploaded`)
  return tag.digest
}

/** A few hundred documents, some with several versions, some empty, some of more than two parts. */
async function fill(documents: DocumentsClient): Promise<void> {
  const names = Array.from({ length: 240 }, (_, at) => `snapshot-${at}`)
  await inParallel([...names.entries()], 8, async ([at, name]) => {
    await upload(documents, name, randomDocument(at % 60 === 0 ? 0 : 1 + ((at * 977) % (40 * KiB))))
    if (at % 4 === 0) await upload(documents, name, randomDocument(300 * KiB))
    if (at % 5 === 0) await pointAt(documents, name, 'production', latestOf(name))
  })
  for (const name of ['large-1', 'large-2']) await upload(documents, name, randomDocument(17 * MiB))
}

/** Reads every document by its digest, every tag, and the listing, all through the service. */
async function expectAllThrough(service: InProcessService): Promise<void> {
  const documents = await clientOf(service)
  const read = await inParallel(expected, 8, async ({ type, name, digest }) => {
    const { version, bytes } = await documents.getBytes({ type, name, digest })
    return { type, name, digest: digestOf(bytes), size: bytes.length, contentType: version.contentType }
  })
  expect(read).toEqual(expected.map((document) => ({ ...document, contentType: 'text/x-snapshot' })))
  const tags = await inParallel([...expectedTags.values()], 8, ({ type, name, tag }) =>
    documents.getTag({ type, name }, tag),
  )
  expect(tags).toMatchObject([...expectedTags.values()])
  const listed = await Array.fromAsync(documents.list())
  expect(listed.map(({ digest }) => digest).sort()).toEqual(expected.map(({ digest }) => digest).sort())
}

const compare = () => runScriptJson('compare', [], pairVariables(primary.connection, second.connection))

describe('the runbook of the second store', () => {
  it('keeps the second store warm', async () => {
    await fill(await clientOf(primary))
    expect(expected.length).toBeGreaterThan(300)
    await follow('look', primary)
    const out = await follow('keep-warm', primary)
    expect(out).toContain(`versions: ${expected.length} copied`)
  }, 180_000)

  it('rolls the service back to the second store, where every document reads by its digest', async () => {
    await upload(await clientOf(primary), 'last-minute', randomDocument(10 * KiB))
    await follow('last-copy', primary)
    await follow('try-second', second)
    await expectAllThrough(second)
  }, 120_000)

  it('copies back what was written meanwhile, also while it was copying', async () => {
    const documents = await clientOf(second)
    for (const name of ['snapshot-1', 'snapshot-4', 'new-1', 'new-2']) {
      await upload(documents, name, randomDocument(20 * KiB))
    }
    await pointAt(documents, 'snapshot-4', 'production', latestOf('snapshot-4'))
    await follow('copy-back', second)
    await upload(documents, 'between', randomDocument(KiB))
    await pointAt(documents, 'snapshot-5', 'production', latestOf('snapshot-5'))
    const out = await follow('copy-back-rest', primary)
    expect(out).toContain('; 0 differ\n')
    await expectAllThrough(primary)
  }, 120_000)

  it('brings an emptied primary back, and compares every digest and every tag', async () => {
    await follow('drill-before', primary)
    const keys = await keysOf(primary.store, '')
    await inParallel(keys, 8, (key) => primary.store.delete(key))
    const emptied = await compare()
    expect(emptied.exitCode).toBe(1)
    expect(emptied.summary).toMatchObject({
      differing: expected.length + expectedTags.size,
      versions: expected.length,
      tags: expectedTags.size,
    })
    const out = await follow('drill-restore', primary)
    expect(out).toContain(`✓ ${expected.length} versions and ${expectedTags.size} tags`)
    expect(out).toContain(`✓ ${expected.length} versions, `)
    await expectAllThrough(primary)
  }, 180_000)

  it('has no command that was not run here', () => {
    expect([...run].sort()).toEqual([...blocks.keys()].sort())
    expect(runbook.match(/```sh/g)).toHaveLength(blocks.size)
  })
})

describe('a fallback bucket of the same store', () => {
  it('takes everything, and the service reads all of it there', async () => {
    const fallback = await serviceInProcess({ store: await storeForTests('ceph-rgw') })
    try {
      const env = pairVariables(primary.connection, fallback.connection)
      const { exitCode, summary } = await runScriptJson('migrate', [], env)
      expect(summary).toMatchObject({ versions: { copied: expected.length } })
      expect(expected.length).toBeGreaterThan(300)
      expect(exitCode).toBe(0)
      await expectAllThrough(fallback)
    } finally {
      await fallback.stop()
    }
  }, 120_000)
})
