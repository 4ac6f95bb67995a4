import { describe, expect, it } from 'bun:test'
import {
  ArgumentError,
  DigestMismatchError,
  ProblemError,
  ProtocolError,
  SizeMismatchError,
} from '../../../../service/client/errors.ts'
import {
  bytesOf,
  clientOf,
  documentOf,
  documents,
  problemAnswer,
  rejection,
  serve,
} from '../../../support/client/client-service.ts'
import { digestOf, reprDigestOf } from '../../../support/service/sample-documents.ts'
import { failingStream, streamOf } from '../../../support/stores/bodies.ts'

const orders = { type: 'definitions', name: 'orders.json' }
const bytes = bytesOf('{"orders":[1,2,3]}')

interface Received {
  method: string
  path: string
  headers: Record<string, string>
  text: string
  /** False where the client broke off before the end of the body. */
  complete: boolean
}

/** Answers a PUT as the service does, with what it really received, and keeps that for the test to look at. */
function serveUploads(status = 201) {
  const received: Received[] = []
  const server = serve(async (request, url) => {
    const headers = Object.fromEntries(request.headers)
    const body = await request.bytes().catch(() => null)
    const seen = body ?? new Uint8Array()
    received.push({
      method: request.method,
      path: url.pathname,
      headers,
      text: new TextDecoder().decode(seen),
      complete: body !== null,
    })
    return Response.json(documentOf(seen), { status })
  })
  return { ...server, received }
}

describe('client.put', () => {
  it('sends bytes with their digest, length and type, and gives the document', async () => {
    using server = serveUploads()
    const put = await clientOf(server.url).put(orders, bytes, { contentType: 'application/json' })
    expect(put).toEqual({
      document: documentOf(bytes),
      created: true,
      via: 'service',
      fallbackReason: null,
    })
    expect(server.received).toMatchObject([
      {
        method: 'PUT',
        path: `${documents}/definitions/orders.json`,
        headers: {
          'repr-digest': reprDigestOf(bytes),
          'content-length': '18',
          'content-type': 'application/json',
        },
        text: '{"orders":[1,2,3]}',
      },
    ])
  })

  it('says when the version was there before', async () => {
    using server = serveUploads(200)
    expect((await clientOf(server.url).put(orders, bytes)).created).toBe(false)
  })

  it('sends the empty document', async () => {
    using server = serveUploads()
    const { document } = await clientOf(server.url).put(orders, new Uint8Array())
    expect(document.size).toBe(0)
    expect(server.received[0]?.headers).toMatchObject({
      'content-length': '0',
      'repr-digest': reprDigestOf(new Uint8Array()),
    })
  })

  it("takes a Blob's own type, and reads it once more to hash it first", async () => {
    using server = serveUploads()
    await clientOf(server.url).put(orders, new Blob([bytes], { type: 'application/json' }))
    expect(server.received[0]?.headers).toMatchObject({
      'repr-digest': reprDigestOf(bytes),
      'content-length': '18',
    })
    expect(server.received[0]?.headers['content-type']).toStartWith('application/json')
  })

  it('hashes and sends a large Blob in pieces and tells how far each is', async () => {
    const large = new Uint8Array(3_000_000).fill(7)
    using server = serveUploads()
    const seen: number[] = []
    const hashed: number[] = []
    const { document } = await clientOf(server.url).put(orders, new Blob([large]), {
      onProgress: ({ phase, bytes: sent, totalBytes }) => {
        expect(totalBytes).toBe(3_000_000)
        if (phase === 'send') seen.push(sent)
        else hashed.push(sent)
      },
    })
    expect(document.digest).toBe(digestOf(large))
    expect(server.received[0]?.headers).toMatchObject({
      'content-length': '3000000',
      'repr-digest': reprDigestOf(large),
    })
    expect(seen.length).toBeGreaterThan(1)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe(3_000_000)
    expect(hashed.at(-1)).toBe(3_000_000)
  })

  it('sends a stream of unknown size as it comes, without digest or length', async () => {
    using server = serveUploads()
    const { document } = await clientOf(server.url).put(
      orders,
      streamOf(bytesOf('{"orders":'), new Uint8Array(), bytesOf('[1,2,3]}')),
    )
    expect(document.digest).toBe(digestOf(bytes))
    const [upload] = server.received
    expect(upload?.text).toBe('{"orders":[1,2,3]}')
    expect(upload?.headers['transfer-encoding']).toBe('chunked')
    expect(upload?.headers).not.toHaveProperty('repr-digest')
  })

  it('sends the size and the digest of a stream ahead where they are known', async () => {
    using server = serveUploads()
    await clientOf(server.url).put(orders, streamOf(bytes), { size: 18, digest: digestOf(bytes) })
    expect(server.received[0]?.headers).toMatchObject({
      'content-length': '18',
      'repr-digest': reprDigestOf(bytes),
    })
    expect(server.received[0]?.headers).not.toHaveProperty('transfer-encoding')
  })

  it('does not believe a service that stored other bytes than were sent', async () => {
    using server = serve(async (request) => {
      await request.bytes()
      return Response.json(documentOf(bytesOf('other')), { status: 201 })
    })
    const client = clientOf(server.url)
    expect(await rejection(client.put(orders, bytes))).toBeInstanceOf(DigestMismatchError)
    expect(await rejection(client.put(orders, streamOf(bytes)))).toBeInstanceOf(DigestMismatchError)
  })

  it('does not believe a service that accepts a stream before its end', async () => {
    using server = serve(() => Response.json(documentOf(bytesOf('')), { status: 201 }))
    const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) })
    expect(await rejection(clientOf(server.url).put(orders, never))).toBeInstanceOf(ProtocolError)
  })

  it.each([
    ['shorter', [bytes], 18],
    ['longer', [bytes, bytes], 36],
  ])('breaks off, and says so, where a stream is %s than its size', async (_than, chunks, actualBytes) => {
    using server = serveUploads()
    const error = await rejection(clientOf(server.url).put(orders, streamOf(...chunks), { size: 20 }))
    expect(error).toBeInstanceOf(SizeMismatchError)
    expect(error).toMatchObject({ expectedBytes: 20, actualBytes })
    expect(server.received.filter(({ complete }) => complete)).toEqual([])
  })

  it("breaks off with the source's own error where the source fails, and never ends the body cleanly", async () => {
    using server = serveUploads()
    const broken = new Error('the disk is gone')
    expect(await rejection(clientOf(server.url).put(orders, failingStream(broken, bytes)))).toBe(broken)
    expect(server.received.filter(({ complete }) => complete)).toEqual([])
  })

  it('refuses a stream of something other than bytes', async () => {
    using server = serveUploads()
    const texts = streamOf('text' as unknown as Uint8Array)
    expect(await rejection(clientOf(server.url).put(orders, texts))).toBeInstanceOf(ArgumentError)
  })

  it('refuses a size that contradicts the bytes before it sends anything', async () => {
    using server = serveUploads()
    expect(await rejection(clientOf(server.url).put(orders, bytes, { size: 17 }))).toBeInstanceOf(
      ArgumentError,
    )
    expect(server.received).toEqual([])
  })

  it('gives the problem of a service that refuses before it reads the body, and lets go of the stream', async () => {
    const released = Promise.withResolvers<void>()
    using server = serve(() => problemAnswer(413, { code: 'document_too_large', detail: 'At most 5 GiB.' }))
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: () => released.resolve(),
    })
    const error = await rejection(clientOf(server.url).put(orders, endless))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ status: 413, code: 'document_too_large' })
    await released.promise
  })

  it("ends with the signal's reason when it is aborted in the middle, and lets go of the stream", async () => {
    using server = serveUploads()
    const released = Promise.withResolvers<void>()
    const stop = new AbortController()
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(new Uint8Array(65_536))
        await Bun.sleep(1)
      },
      cancel: () => released.resolve(),
    })
    const put = clientOf(server.url).put(orders, endless, {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    })
    expect(await rejection(put)).toEqual(new Error('enough'))
    await released.promise
  })

  it('sends nothing for a signal that was aborted before', async () => {
    using server = serveUploads()
    const put = clientOf(server.url).put(orders, bytes, { signal: AbortSignal.abort(new Error('too late')) })
    expect(await rejection(put)).toEqual(new Error('too late'))
    expect(server.received).toEqual([])
  })
})
