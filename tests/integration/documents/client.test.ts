import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { createDocumentsClient, type DocumentsClient } from '../../../service/client/client.ts'
import { ArgumentError, ProblemError } from '../../../service/client/errors.ts'
import { bundleFor, runInNode, runWithoutProcess } from '../../support/client/client-runtimes.ts'
import { bytesOf, rejection, serve } from '../../support/client/client-service.ts'
import { ownChildService } from '../../support/service/own-service.ts'
import { digestOf, reprDigestOf } from '../../support/service/sample-documents.ts'
import { streamOf } from '../../support/stores/bodies.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const { service } = await ownChildService()
const acme = clientFor('acme')
await ticketsAre(acme)

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
  it('uploads and tags under conditions, which the service checks', async () => {
    const ref = { type: 'definitions', name: 'conditional' }
    const moved = { status: 412, code: 'precondition_failed' }
    const { document } = await acme.put(ref, bytesOf('A'), { ifLatest: 'absent' })
    expect(await rejection(acme.put(ref, bytesOf('B'), { ifLatest: 'absent' }))).toMatchObject(moved)
    const over = { ifLatest: document.digest }
    expect((await acme.put(ref, bytesOf('B'), over)).document.tags).toEqual(['latest'])
    expect(await rejection(acme.put(ref, bytesOf('C'), over))).toMatchObject(moved)
    expect(await rejection(acme.put(ref, bytesOf('C'), { ...over, via: 'ticket' }))).toBeInstanceOf(
      ArgumentError,
    )
    const first = { ifAbsent: true }
    expect((await acme.putTag(ref, 'v1', document.digest, first)).created).toBe(true)
    expect(await rejection(acme.putTag(ref, 'v1', document.digest, first))).toMatchObject(moved)
  })

  it('lists types, names and what has a tag over all pages, as single calls show them', async () => {
    const names = ['web', 'web-admin', 'worker']
    for (const name of names) {
      const { document } = await acme.put({ type: 'rollout', name }, bytesOf(name))
      await acme.putTag({ type: 'rollout', name }, 'production', document.digest)
    }
    const limit = 1
    expect(await Array.fromAsync(acme.types({ limit }))).toContain('rollout')
    const listed = await Array.fromAsync(acme.names({ type: 'rollout', limit }))
    expect(listed.map(({ name }) => name).sort()).toEqual(names)
    for await (const { name, latest } of acme.names({ type: 'rollout', include: 'latest', limit })) {
      const [version] = (await acme.versionsPage({ type: 'rollout', name })).rows
      expect(latest).toEqual(version)
    }
    for await (const { name, tags } of acme.names({ type: 'rollout', include: 'tags', limit })) {
      expect(tags).toEqual(await acme.tags({ type: 'rollout', name }))
      expect(tags).toHaveLength(2)
    }
    for await (const tag of acme.tagged({ type: 'rollout', tag: 'production', namePrefix: 'web', limit })) {
      expect(tag).toEqual(await acme.getTag({ type: 'rollout', name: tag.name }, 'production'))
      expect(tag.name).toStartWith('web')
    }
    expect(await rejection(acme.tags({ type: 'rollout', name: 'none' }))).toMatchObject({ status: 404 })
  })

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
    const asStream = await acme.put({ type: 'snapshots', name: 'stream' }, streamOf(...chunks))
    const sized = await acme.put({ type: 'snapshots', name: 'sized' }, streamOf(...chunks), {
      size: bytes.length,
      digest,
    })
    for (const { document, created } of [asBytes, asBlob, asStream, sized]) {
      expect([document.digest, document.size, created]).toEqual([digest, bytes.length, true])
      const back = await acme.getBytes(document)
      expect(Bun.SHA256.hash(back.bytes, 'hex')).toBe(digest.slice('sha256:'.length))
    }
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

  it('can be found in the log of the service by the ids of an error', async () => {
    const error = await rejection(acme.get({ type: 'definitions', name: 'never-there.txt' }))
    if (!(error instanceof ProblemError)) return expect.unreachable()
    const lines = service.logs().filter(({ traceId }) => traceId === error.traceId)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.map(({ correlationId }) => correlationId)).toContain(error.correlationId)
  })
})

describe('the client in other runtimes, on the real service', () => {
  const programBytes = new Uint8Array(300_000).map((_, index) => index % 251)
  const digest = digestOf(programBytes)
  const expected = {
    created: [true, false, false],
    digests: [digest, digest, digest],
    readBack: true,
    part: [5, 6, 7, 8, 9],
    sentAtEnd: 300_000,
    listed: [true],
    ticketed: [true, 'ticket', 'hash send verify'],
    fromStore: ['store', 300_010],
    archived: true,
    absent: 'document_not_found',
  }

  /** Passes requests on to the service, and keeps the headers of uploads through it. */
  function recordingProxy() {
    const uploads: Headers[] = []
    const server = serve((request, url) => {
      if (request.method === 'PUT') uploads.push(request.headers)
      const { method, headers, body } = request
      return fetch(new URL(url.pathname + url.search, service.url), { method, headers, body })
    })
    const sent = (name: string) => uploads.map((headers) => headers.get(name))
    return { ...server, sent }
  }

  it('works in Node, and sends streams as they come', async () => {
    using proxy = recordingProxy()
    const input = { url: proxy.url, token: await service.token(), tenant: 'acme' }
    expect(await runInNode(await bundleFor('node'), input)).toEqual(expected)
    expect(proxy.sent('transfer-encoding')).toEqual([null, null, 'chunked'])
  })

  it('works where there is neither Bun nor process, and sends streams as whole bodies with their digest', async () => {
    using proxy = recordingProxy()
    const input = { url: proxy.url, token: await service.token(), tenant: 'acme' }
    expect(await runWithoutProcess(await bundleFor('browser'), input)).toEqual(expected)
    expect(proxy.sent('content-length')).toEqual(Array(3).fill('300000'))
    expect(proxy.sent('repr-digest')).toEqual(Array(3).fill(reprDigestOf(programBytes)))
  })
})
