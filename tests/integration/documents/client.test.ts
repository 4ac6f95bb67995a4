import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { createDocumentsClient, type DocumentsClient } from '../../../service/client/client.ts'
import { ProblemError } from '../../../service/client/errors.ts'
import { versionKey } from '../../../service/documents/document-key.ts'
import type { Document } from '../../../service/wire/answers.ts'
import { bundleFor, runInNode, runWithoutProcess } from '../../support/client/client-runtimes.ts'
import { bytesOf, digestOf, readAll, rejection, streamOf } from '../../support/client/client-service.ts'
import { serviceInChild } from '../../support/service/service-for-tests.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const service = await serviceInChild()
const acme = clientFor('acme')
await ticketsAre(acme)
afterAll(() => service.stop())

/** Waits until the service has found out what its store can do. */
async function ticketsAre(client: DocumentsClient): Promise<void> {
  await until(() =>
    client.put({ type: 'definitions', name: 'asked' }, bytesOf('?'), { via: 'ticket' }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof ProblemError && error.code === 'store_unknown') return false
        throw error
      },
    ),
  )
}

function clientFor(tenant: string, claims = {}): DocumentsClient {
  return createDocumentsClient({ url: service.url, tenant, token: () => service.token(claims) })
}

function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

describe('the client on the real service', () => {
  it('returns bytes as they were sent, from bytes, blobs and streams', async () => {
    const bytes = randomBytes(20_000_000)
    const digest = digestOf(bytes)
    const chunks = Array.from({ length: 20 }, (_, index) =>
      bytes.subarray(index * 1_000_000, (index + 1) * 1_000_000),
    )
    const asBytes = await acme.put({ type: 'snapshots', name: 'bytes' }, bytes)
    const asBlob = await acme.put({ type: 'snapshots', name: 'blob' }, new Blob([bytes]), {
      onProgress: () => undefined,
    })
    const asStream = await acme.put({ type: 'snapshots', name: 'stream' }, streamOf(chunks))
    const sized = await acme.put({ type: 'snapshots', name: 'sized' }, streamOf(chunks), {
      size: bytes.length,
      digest,
    })
    for (const { document, created } of [asBytes, asBlob, asStream, sized]) {
      expect([document.digest, document.size, created]).toEqual([digest, bytes.length, true])
      const back = await acme.getBytes(document)
      expect(Bun.SHA256.hash(back.bytes, 'hex')).toBe(digest.slice('sha256:'.length))
    }
  })

  it('stores and reads the empty document', async () => {
    const { document } = await acme.put({ type: 'snapshots', name: 'empty' }, new Uint8Array())
    const { version, bytes } = await acme.getBytes(document)
    expect([version.size, bytes.length]).toEqual([0, 0])
  })

  it('returns the document as it was described, and says if it existed before', async () => {
    const ref = { type: 'definitions', name: 'described.json' }
    const first = await acme.put(ref, bytesOf('{}'), { contentType: 'application/json' })
    const again = await acme.put(ref, bytesOf('{}'), { contentType: 'text/plain' })
    expect(first.document).toMatchObject({
      tenant: 'acme',
      ...ref,
      size: 2,
      contentType: 'application/json',
      createdBy: 'alice',
      tags: ['latest'],
    })
    expect(again).toEqual({ ...first, created: false })
    const { tenant, digest, size, contentType } = first.document
    expect(await acme.head(ref)).toEqual({ tenant, ...ref, digest, size, contentType })
    expect((await acme.get({ ...ref, digest })).version).toEqual({
      tenant,
      ...ref,
      digest,
      size,
      contentType,
    })
  })

  it('reads a part of a version', async () => {
    const { document } = await acme.put({ type: 'definitions', name: 'part.txt' }, bytesOf('0123456789'))
    const { range, stream } = await acme.get(document, { range: { suffix: 3 } })
    expect(range).toEqual({ first: 7, last: 9 })
    expect(await readAll(stream)).toEqual({ text: '789', error: null })
    expect(await rejection(acme.get(document, { range: { first: 10 } }))).toMatchObject({
      status: 416,
      code: 'range_unsatisfiable',
    })
  })

  it('never ends cleanly over bytes that were changed in the store', async () => {
    const bytes = randomBytes(3_000_000)
    const { document } = await acme.put({ type: 'definitions', name: 'changed.bin' }, bytes)
    const key = versionKey(document)
    const stored = await service.store.head(key)
    const { metadata, contentType } = stored ?? expect.unreachable()
    const changed = bytes.slice()
    changed[2_999_999] = (changed[2_999_999] ?? 0) ^ 1
    await service.store.put(key, changed, { size: changed.length, contentType, metadata })
    expect(await rejection(acme.getBytes(document))).toBeInstanceOf(Error)
    const { stream } = await acme.get(document, { range: { first: 0 } })
    expect((await readAll(stream)).error).toBeInstanceOf(Error)
  })

  it('lists over many pages, by type and by the beginning of the name', async () => {
    const names = ['orders-1', 'orders-2', 'orders-3', 'orders-4', 'orders-5', 'returns-1']
    await Promise.all(names.map((name) => acme.put({ type: 'paged', name }, bytesOf(name))))
    const listed = await Array.fromAsync(acme.list({ type: 'paged', namePrefix: 'orders', limit: 2 }))
    expect(listed.map(({ name }) => name)).toEqual(names.slice(0, 5))
    expect(listed[0]).toMatchObject({
      tenant: 'acme',
      type: 'paged',
      digest: digestOf(bytesOf('orders-1')),
      size: 8,
    })
    const page = await acme.listPage({ type: 'paged', limit: 4 })
    expect([page.rows.length, typeof page.nextCursor]).toEqual([4, 'string'])
  })

  it('returns the versions of a document, newest first, with their tags', async () => {
    const ref = { type: 'definitions', name: 'versions.txt' }
    const published: Document[] = []
    for (const text of ['one', 'two', 'three'])
      published.unshift((await acme.put(ref, bytesOf(text))).document)
    const versions = await Array.fromAsync(acme.versions(ref, { limit: 2 }))
    expect(versions.map(({ digest }) => digest).toSorted()).toEqual(
      published.map(({ digest }) => digest).toSorted(),
    )
    expect(versions.find(({ tags }) => tags.includes('latest'))?.digest).toBe(digestOf(bytesOf('three')))
    expect(await rejection(Array.fromAsync(acme.versions({ ...ref, name: 'absent' })))).toMatchObject({
      status: 404,
    })
  })

  it('moves a tag, and with an ETag only if it has not moved since', async () => {
    const ref = { type: 'definitions', name: 'tagged.txt' }
    const one = (await acme.put(ref, bytesOf('one'))).document.digest
    const two = (await acme.put(ref, bytesOf('two'))).document.digest
    const made = await acme.putTag(ref, 'production', one)
    expect(made).toMatchObject({ created: true, tag: { tag: 'production', digest: one, movedBy: 'alice' } })
    expect(await acme.getTag(ref, 'production')).toEqual(made.tag)
    const moved = await acme.putTag(ref, 'production', two, { ifMatch: made.tag.etag })
    expect(moved).toMatchObject({ created: false, tag: { digest: two } })
    const stale = await rejection(acme.putTag(ref, 'production', one, { ifMatch: made.tag.etag }))
    expect(stale).toMatchObject({ status: 412, code: 'precondition_failed' })
    expect((await acme.head({ ...ref, tag: 'production' })).digest).toBe(two)
  })

  it('names the tags that keep a version, and removes it when they are gone', async () => {
    const ref = { type: 'definitions', name: 'removed.txt' }
    const { digest } = (await acme.put(ref, bytesOf('one'))).document
    await acme.putTag(ref, 'v1', digest)
    const kept = await rejection(acme.deleteVersion({ ...ref, digest }))
    expect(kept).toMatchObject({ status: 409, code: 'version_tagged', extensions: { tags: ['v1'] } })
    await acme.deleteTag(ref, 'v1')
    await acme.deleteVersion({ ...ref, digest })
    expect(await rejection(acme.get({ ...ref, digest }))).toMatchObject({ code: 'document_not_found' })
  })

  it('can be found in the log of the service by the ids of an error', async () => {
    const error = await rejection(acme.get({ type: 'definitions', name: 'never-there.txt' }))
    if (!(error instanceof ProblemError)) return expect.unreachable()
    const lines = service.logs().filter(({ traceId }) => traceId === error.traceId)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.map(({ correlationId }) => correlationId)).toContain(error.correlationId)
  })
})

describe('the client in other runtimes, on the real service', () => {
  const expected = {
    created: [true, false, false],
    readBack: true,
    part: [5, 6, 7, 8, 9],
    sentAtEnd: 300_000,
    listed: [true],
    ticketed: [true, 'ticket', 'hash send verify'],
    fromStore: ['store', 300_010],
    absent: 'document_not_found',
  }

  it('works in Node', async () => {
    const input = { url: service.url, token: await service.token(), tenant: 'acme' }
    expect(await runInNode(await bundleFor('node'), input)).toMatchObject(expected)
  })

  it('works without Bun and process, as in a browser', async () => {
    const input = { url: service.url, token: await service.token(), tenant: 'acme' }
    expect(await runWithoutProcess(await bundleFor('browser'), input)).toMatchObject(expected)
  })
})
