import { describe, expect, it } from 'bun:test'
import { DigestMismatchError, SizeMismatchError, StoreError } from '../../../../service/client/errors.ts'
import {
  bytesOf,
  clientOf,
  documents,
  readAll,
  rejection,
  serve,
  serveRaw,
  testToken,
  versionAnswer,
} from '../../../support/client/client-service.ts'
import { deadUrl, s3Error, signature } from '../../../support/client/client-ticket-service.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'

const orders = { type: 'definitions', name: 'orders.json' }
const bytes = bytesOf('{"orders":[1,2,3]}')
const version = {
  tenant: 'acme',
  ...orders,
  digest: digestOf(bytes),
  size: 18,
  contentType: 'application/json',
}

interface Asked {
  method: string
  path: string
  body?: unknown
}

/** A service with the orders that signs URLs for the store at `storeUrl`. @param rest answers a request for a range */
function serveSigning(storeUrl: string, rest: (request: Request) => Response = () => versionAnswer(bytes)) {
  const asked: Asked[] = []
  const server = serve(async (request, { pathname, search }) => {
    const { method } = request
    const path = pathname.slice(documents.length) + search
    if (method !== 'POST') {
      asked.push({ method, path })
      return request.headers.has('range') ? rest(request) : versionAnswer(bytes)
    }
    asked.push({ method, path, body: await request.json() })
    const url = `${storeUrl}/bucket/key?X-Amz-Signature=${signature}`
    return Response.json({ url, expiresAt: '2026-11-23T10:05:00.000Z' }, { status: 201 })
  })
  return { ...server, asked }
}

/** A store that gives these bytes to everyone, and keeps what it was asked. */
function serveStore(answer: () => Response) {
  const headers: Record<string, string>[] = []
  const server = serve((request) => {
    headers.push(Object.fromEntries(request.headers))
    return answer()
  })
  return { ...server, headers }
}

describe('client.createDownload', () => {
  it('gives the signed URL and when it ends', async () => {
    using server = serveSigning('https://store.example.com')
    const { digest } = version
    const given = await clientOf(server.url).createDownload({ ...orders, digest }, { expiresInSeconds: 60 })
    expect(given).toEqual({
      url: `https://store.example.com/bucket/key?X-Amz-Signature=${signature}`,
      expiresAt: '2026-11-23T10:05:00.000Z',
    })
    expect(server.asked).toEqual([
      {
        method: 'POST',
        path: `/definitions/orders.json/versions/${digest}/downloads`,
        body: { expiresInSeconds: 60 },
      },
    ])
  })

  it('lets the service choose how long it lives', async () => {
    using server = serveSigning('https://store.example.com')
    await clientOf(server.url).createDownload({ ...orders, digest: version.digest })
    expect(server.asked[0]?.body).toEqual({})
  })

  it('takes no URL that is for something else than http, and does not repeat it', async () => {
    using server = serveSigning('file://')
    const error = await rejection(clientOf(server.url).createDownload(version))
    expect(error).toMatchObject({ name: 'ProtocolError' })
    expect(Bun.inspect(error)).not.toContain(signature)
  })
})

describe('client.get with direct', () => {
  it('reads the bytes of the tagged version from the store, which gets no token', async () => {
    using store = serveStore(() => new Response(bytes))
    using server = serveSigning(store.url)
    const { stream, ...rest } = await clientOf(server.url).get({ ...orders, tag: 'v1' }, { direct: true })
    expect(rest).toEqual({ version, range: null, via: 'store', fallbackReason: null })
    expect(await readAll(stream)).toEqual({ text: '{"orders":[1,2,3]}', error: null })
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'HEAD /definitions/orders.json?tag=v1',
      `POST /definitions/orders.json/versions/${version.digest}/downloads`,
    ])
    expect(JSON.stringify(store.headers)).not.toContain(testToken)
  })

  it('gives the bytes as a whole too, and tells how far it is', async () => {
    using store = serveStore(() => new Response(bytes))
    using server = serveSigning(store.url)
    const told: number[] = []
    const onProgress = ({ bytes: received }: { bytes: number }) => void told.push(received)
    const read = await clientOf(server.url).getBytes(orders, { direct: true, onProgress })
    expect([read.bytes, told.at(-1)]).toEqual([bytes, 18])
  })

  it('never ends cleanly over other bytes than those of the digest', async () => {
    using store = serveStore(() => new Response('{"orders":[1,2,4]}'))
    using server = serveSigning(store.url)
    const { stream } = await clientOf(server.url).get(orders, { direct: true })
    const { text, error } = await readAll(stream)
    expect(error).toBeInstanceOf(DigestMismatchError)
    expect(text).not.toContain('4]}')
  })

  it('never ends cleanly over a part of the bytes', async () => {
    using store = serveStore(() => new Response(bytes.slice(0, 17)))
    using server = serveSigning(store.url)
    const { stream } = await clientOf(server.url).get(orders, { direct: true })
    expect((await readAll(stream)).error).toBeInstanceOf(SizeMismatchError)
  })

  it('continues through the service where the connection to the store breaks', async () => {
    using store = await serveRaw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"orders"\r\n')
    using server = serveSigning(store.url, (request) => {
      expect(request.headers.get('range')).toBe('bytes=9-17')
      expect(request.headers.get('if-range')).toBe(`"${version.digest}"`)
      const headers = { 'content-range': 'bytes 9-17/18' }
      return new Response(bytes.slice(9), { status: 206, headers })
    })
    const { stream } = await clientOf(server.url).get(orders, { direct: true })
    expect(await readAll(stream)).toEqual({ text: '{"orders":[1,2,3]}', error: null })
  })

  it('says that the connection to the store broke, without the URL', async () => {
    using store = await serveRaw('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"orders"\r\n')
    using server = serveSigning(store.url)
    const { stream } = await clientOf(server.url).get(orders, { direct: true })
    const { error } = await readAll(stream)
    expect(error).toBeInstanceOf(StoreError)
    expect(Bun.inspect(error) + JSON.stringify(error)).not.toContain(signature)
  })

  it('comes through the service, by digest, where the store refuses', async () => {
    using store = serveStore(() => s3Error(403, 'AccessDenied'))
    using server = serveSigning(store.url)
    const { stream, via, fallbackReason } = await clientOf(server.url).get(orders, { direct: true })
    expect([via, fallbackReason]).toEqual(['service', 'AccessDenied'])
    expect(await readAll(stream)).toEqual({ text: '{"orders":[1,2,3]}', error: null })
    expect(server.asked.at(-1)).toEqual({
      method: 'GET',
      path: `/definitions/orders.json/versions/${version.digest}`,
    })
  })

  it('comes through the service where the store cannot be reached', async () => {
    using server = serveSigning(deadUrl())
    const { stream, via } = await clientOf(server.url).get(orders, { direct: true })
    expect(via).toBe('service')
    expect(await readAll(stream)).toEqual({ text: '{"orders":[1,2,3]}', error: null })
  })

  it('comes through the service where the store does not answer', async () => {
    using store = serve(() => Bun.sleep(5_000).then(() => new Response()))
    using server = serveSigning(store.url)
    const client = clientOf(server.url, { transfers: { storeIdleSecondsMax: 0.1 } })
    expect((await client.get(orders, { direct: true })).fallbackReason).toBe('stalled')
  })

  it('ends with the reason of a signal that is aborted in the middle', async () => {
    const half = () =>
      new ReadableStream({ start: (controller) => controller.enqueue(bytes.slice(0, 9)) }, undefined)
    using store = serveStore(() => new Response(half()))
    using server = serveSigning(store.url)
    const stop = new AbortController()
    const { stream } = await clientOf(server.url).get(orders, { direct: true, signal: stop.signal })
    setTimeout(() => stop.abort(new Error('enough')), 50)
    expect((await readAll(stream)).error).toEqual(new Error('enough'))
  })

  it('asks the service for a range', async () => {
    using server = serveSigning(deadUrl())
    const { via } = await clientOf(server.url).get(orders, { direct: true, range: { first: 0 } })
    expect(via).toBe('service')
    expect(server.asked.map(({ method }) => method)).toEqual(['GET'])
  })
})
