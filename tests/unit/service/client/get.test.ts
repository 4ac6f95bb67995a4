import { describe, expect, it } from 'bun:test'
import {
  ArgumentError,
  ConnectionError,
  DigestMismatchError,
  ProtocolError,
  SizeMismatchError,
} from '../../../../service/client/errors.ts'
import {
  bytesOf,
  clientOf,
  documents,
  problemAnswer,
  readAll,
  rejection,
  serve,
  serveInPieces,
  serveRaw,
  versionAnswer,
} from '../../../support/client/client-service.ts'
import { digestOf, reprDigestOf } from '../../../support/service/sample-documents.ts'
import { streamOf } from '../../../support/stores/bodies.ts'

const bytes = bytesOf('{"orders":[1,2,3]}')
const digest = digestOf(bytes)
const orders = { type: 'definitions', name: 'orders.json' }

/** Two chunks in two frames, so that a reader could see the first before the second is checked. */
function chunkedAnswer(chunks: string[], headers: Record<string, string>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')
  return `HTTP/1.1 200 OK\r\n${lines.join('')}Transfer-Encoding: chunked\r\n\r\n${body}`
}

describe('client.get', () => {
  it('gives the bytes of latest, and what they are', async () => {
    using server = serve((request, url) => {
      expect([request.method, url.pathname, url.search]).toEqual([
        'GET',
        `${documents}/definitions/orders.json`,
        '',
      ])
      return versionAnswer(bytes)
    })
    const { version, range, stream } = await clientOf(server.url).get(orders)
    expect(version).toEqual({
      tenant: 'acme',
      ...orders,
      digest,
      size: bytes.length,
      contentType: 'application/json',
    })
    expect(range).toBeNull()
    expect(await readAll(stream)).toEqual({ text: '{"orders":[1,2,3]}', error: null })
  })

  it('asks for another tag by its name', async () => {
    using server = serve((_request, url) => versionAnswer(bytesOf(url.search)))
    const { bytes: answered } = await clientOf(server.url).getBytes({ ...orders, tag: 'v1.4.0' })
    expect(new TextDecoder().decode(answered)).toBe('?tag=v1.4.0')
  })

  it('asks for a digest by its path', async () => {
    using server = serve((_request, url) =>
      url.pathname === `${documents}/definitions/orders.json/versions/${digest}`
        ? versionAnswer(bytes)
        : problemAnswer(404, {}),
    )
    expect((await clientOf(server.url).getBytes({ ...orders, digest })).bytes).toEqual(bytes)
  })

  it('gives the empty document', async () => {
    using server = serve(() => versionAnswer(bytesOf('')))
    const { version, bytes: answered } = await clientOf(server.url).getBytes(orders)
    expect([version.size, answered.length]).toEqual([0, 0])
  })

  it('takes the digest from Repr-Digest where a proxy removed the ETag', async () => {
    using server = serve(() => {
      const answer = versionAnswer(bytes)
      answer.headers.delete('etag')
      return answer
    })
    expect((await clientOf(server.url).get(orders)).version.digest).toBe(digest)
  })

  it('never ends cleanly over bytes that do not hash to their digest, and keeps the last of them back', async () => {
    const headers = { etag: `"${digest}"`, 'document-size': '18' }
    using server = await serveRaw(`${chunkedAnswer(['{"orders":', '[1,2,4]}'], headers)}0\r\n\r\n`)
    const { stream } = await clientOf(server.url).get(orders)
    const { text, error } = await readAll(stream)
    expect(error).toBeInstanceOf(DigestMismatchError)
    expect(error).toMatchObject({ expected: digest, actual: digestOf(bytesOf('{"orders":[1,2,4]}')) })
    expect('{"orders":').toStartWith(text)
  })

  it('rejects getBytes over bytes that do not hash to their digest', async () => {
    using server = serve(() =>
      versionAnswer(bytesOf('other'), { etag: `"${digest}"`, 'repr-digest': reprDigestOf(bytes) }),
    )
    expect(await rejection(clientOf(server.url).getBytes(orders))).toBeInstanceOf(DigestMismatchError)
  })

  it.each([
    [
      'refuses a body that ends early, even where HTTP says that it is complete',
      ['{"orders":'],
      18,
      '0\r\n\r\n',
      SizeMismatchError,
    ],
    [
      'refuses a body that runs past its size',
      ['{"orders":', '[1,2,3]}'],
      12,
      '0\r\n\r\n',
      SizeMismatchError,
    ],
    ['reports a connection that breaks in the middle of the body', ['{"orders":'], 18, '', ConnectionError],
  ])('%s', async (_title, chunks, size, end, expected) => {
    const headers = { etag: `"${digest}"`, 'document-size': String(size) }
    using server = await serveRaw(chunkedAnswer(chunks, headers) + end)
    const { stream } = await clientOf(server.url).get(orders)
    const { error } = await readAll(stream)
    expect(error).toBeInstanceOf(expected)
    if (chunks.length === 1 && end !== '') expect(error).toMatchObject({ expectedBytes: 18, actualBytes: 10 })
  })

  it('continues where the connection broke, as often as it takes, with the rest of the same bytes', async () => {
    using server = await serveInPieces(bytes, 7)
    const client = clientOf(server.url, { transfers: { retrySecondsBase: 0 } })
    const { stream } = await client.get(orders)
    expect(await readAll(stream)).toEqual({ text: '{"orders":[1,2,3]}', error: null })
    expect(server.ranges[0]).toBe(null)
    expect(server.ranges.at(-1)).toBe('14-17')
  })

  it('continues a range within itself', async () => {
    using server = await serveInPieces(bytes, 3)
    const client = clientOf(server.url, { transfers: { retrySecondsBase: 0 } })
    const { stream } = await client.get({ ...orders, digest }, { range: { first: 2, last: 7 } })
    expect(await readAll(stream)).toEqual({ text: 'orders', error: null })
    expect(server.ranges[0]).toBe('2-7')
    expect(server.ranges.at(-1)).toBe('5-7')
  })

  it('gives up after a bounded number of connections that brought nothing', async () => {
    using server = await serveInPieces(bytes, 0)
    const client = clientOf(server.url, { transfers: { retrySecondsBase: 0, callAttemptsMax: 3 } })
    const { error } = await readAll((await client.get(orders)).stream)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(server.ranges).toHaveLength(3)
  })

  it('refuses another digest than the one that was asked for', async () => {
    using server = serve(() => versionAnswer(bytesOf('another version')))
    expect(await rejection(clientOf(server.url).get({ ...orders, digest }))).toBeInstanceOf(
      DigestMismatchError,
    )
  })

  it('refuses an answer whose headers disagree about the digest', async () => {
    using server = serve(() => versionAnswer(bytes, { 'repr-digest': reprDigestOf(bytesOf('other')) }))
    expect(await rejection(clientOf(server.url).get(orders))).toBeInstanceOf(ProtocolError)
  })

  it('refuses an answer without a digest', async () => {
    using server = serve(() => new Response('hello', { headers: { 'document-size': '5' } }))
    expect(await rejection(clientOf(server.url).get(orders))).toBeInstanceOf(ProtocolError)
  })

  it('gives a range, and says which bytes it is', async () => {
    using server = serve((request) => {
      expect(request.headers.get('range')).toBe('bytes=2-7')
      return new Response('orders', {
        status: 206,
        headers: { etag: `"${digest}"`, 'content-range': 'bytes 2-7/18' },
      })
    })
    const { version, range, stream } = await clientOf(server.url).get(
      { ...orders, digest },
      { range: { first: 2, last: 7 } },
    )
    expect(range).toEqual({ first: 2, last: 7 })
    expect(version.size).toBe(18)
    expect(await readAll(stream)).toEqual({ text: 'orders', error: null })
  })

  it('refuses a range that ends early', async () => {
    using server = serve(
      () =>
        new Response('ord', {
          status: 206,
          headers: { etag: `"${digest}"`, 'content-range': 'bytes 2-7/18' },
        }),
    )
    const { stream } = await clientOf(server.url).get(orders, { range: { first: 2, last: 7 } })
    expect((await readAll(stream)).error).toBeInstanceOf(SizeMismatchError)
  })

  it('checks the digest of a range that covers everything', async () => {
    using server = serve(
      () =>
        new Response('{"orders":[1,2,4]}', {
          status: 206,
          headers: { etag: `"${digest}"`, 'content-range': 'bytes 0-17/18' },
        }),
    )
    const { stream } = await clientOf(server.url).get(orders, { range: { suffix: 100 } })
    expect((await readAll(stream)).error).toBeInstanceOf(DigestMismatchError)
  })

  it('refuses positions that are no range before it asks', async () => {
    const client = clientOf('http://127.0.0.1:9')
    expect(await rejection(client.get(orders, { range: { first: 7, last: 2 } }))).toBeInstanceOf(
      ArgumentError,
    )
    expect(await rejection(client.get(orders, { range: { suffix: -1 } }))).toBeInstanceOf(ArgumentError)
  })

  it('tells how many bytes have come', async () => {
    using server = serve(() => versionAnswer(bytes))
    const seen: unknown[] = []
    await clientOf(server.url).getBytes(orders, { onProgress: (progress) => seen.push(progress) })
    expect(seen.at(-1)).toEqual({ bytes: 18, totalBytes: 18 })
  })

  it('ends with the reason of the signal when the reader aborts in the middle', async () => {
    const endless = () => streamOf(...Array.from({ length: 10_000 }, () => new Uint8Array(65_536)))
    using server = serve(
      () => new Response(endless(), { headers: { etag: `"${digest}"`, 'document-size': '655360000' } }),
    )
    const stop = new AbortController()
    const { stream } = await clientOf(server.url).get(orders, { signal: stop.signal })
    const reader = stream.getReader()
    await reader.read()
    stop.abort(new Error('enough'))
    const drain = async () => {
      while (!(await reader.read()).done);
    }
    expect(await rejection(drain())).toEqual(new Error('enough'))
  })

  it('frees the connection when the stream is cancelled', async () => {
    const cancelled = Promise.withResolvers<void>()
    const body = () =>
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => cancelled.resolve(),
      })
    using server = serve(
      () => new Response(body(), { headers: { etag: `"${digest}"`, 'document-size': '655360000' } }),
    )
    const { stream } = await clientOf(server.url).get(orders)
    await stream.cancel()
    await cancelled.promise
  })
})

describe('client.head', () => {
  it('says what the version is', async () => {
    using server = serve((request) => {
      expect(request.method).toBe('HEAD')
      return new Response(null, {
        headers: { etag: `"${digest}"`, 'content-length': '18', 'content-type': 'text/plain' },
      })
    })
    const version = await clientOf(server.url).head({ ...orders, tag: 'latest' })
    expect(version).toEqual({ tenant: 'acme', ...orders, digest, size: 18, contentType: 'text/plain' })
  })

  it('rejects with document_not_found, although the answer has no body to say so', async () => {
    using server = serve(() => new Response(null, { status: 404 }))
    expect(await rejection(clientOf(server.url).head(orders))).toMatchObject({
      status: 404,
      code: 'document_not_found',
    })
  })
})
