import { describe, expect, it } from 'bun:test'
import { inspect } from 'node:util'
import { createDocumentsClient } from '../../../../service/client/client.ts'
import {
  ArgumentError,
  ConnectionError,
  ProblemError,
  ProtocolError,
} from '../../../../service/client/errors.ts'
import {
  bytesOf,
  clientOf,
  problemAnswer,
  rejection,
  serve,
  serveRaw,
  testToken,
} from '../../../support/client/client-service.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { relayTo } from '../../../support/stores/tcp-relay.ts'

const orders = { type: 'definitions', name: 'orders.json' }
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

describe('ProblemError', () => {
  it('carries what the problem document says', async () => {
    using server = serve(() =>
      problemAnswer(
        503,
        {
          title: 'Busy',
          detail: 'The store does not answer.',
          code: 'store_unavailable',
          traceId,
          tags: ['a'],
        },
        { 'retry-after': '7' },
      ),
    )
    const error = await rejection(clientOf(server.url, { correlationId: 'job-7' }).getTag(orders, 'latest'))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({
      status: 503,
      code: 'store_unavailable',
      title: 'Busy',
      detail: 'The store does not answer.',
      traceId,
      correlationId: 'job-7',
      retryAfterSeconds: 7,
      extensions: { tags: ['a'] },
      message: 'The store does not answer. (store_unavailable)',
    })
  })

  it('stands for an answer that is no problem document, such as a page of a proxy', async () => {
    using server = serve(
      () => new Response('<h1>Bad Gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } }),
    )
    const error = await rejection(clientOf(server.url).get(orders))
    expect(error).toMatchObject({ status: 502, code: 'http_502', detail: 'The answer has the status 502.' })
    expect(inspect(error)).not.toContain('Bad Gateway')
  })

  it('stands for a problem document that is not JSON', async () => {
    using server = serve(
      () => new Response('{', { status: 500, headers: { 'content-type': 'application/problem+json' } }),
    )
    expect(await rejection(clientOf(server.url).get(orders))).toMatchObject({ status: 500, code: 'http_500' })
  })

  it('stands for a problem document without an end', async () => {
    const endless = () =>
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(0x20)) })
    using server = serve(
      () => new Response(endless(), { status: 500, headers: { 'content-type': 'application/problem+json' } }),
    )
    expect(await rejection(clientOf(server.url).get(orders))).toMatchObject({ status: 500, code: 'http_500' })
  })

  it('stands for a redirect, which is not followed: it would carry the token elsewhere', async () => {
    let elsewhere = 0
    using other = serve(() => {
      elsewhere += 1
      return new Response('hello')
    })
    using server = serve(() => Response.redirect(other.url, 302))
    expect(await rejection(clientOf(server.url).get(orders))).toMatchObject({ status: 302, code: 'http_302' })
    expect(elsewhere).toBe(0)
  })
})

describe('ConnectionError', () => {
  it('names the origin and the reason', async () => {
    const url = (() => {
      using gone = serve(() => new Response())
      return gone.url
    })()
    const error = await rejection(clientOf(url).head(orders))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ origin: url, reason: 'ECONNREFUSED' })
  })

  it('stands for an answer that breaks off in the middle of its JSON', async () => {
    using server = await serveRaw(
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"docu',
    )
    expect(await rejection(clientOf(server.url).listPage())).toBeInstanceOf(ConnectionError)
  })
})

describe('a change that depends on what is there, over a connection that breaks', () => {
  /** Breaks the connection over which the change comes, and returns the methods of the requests that came. */
  async function broken(change: (client: ReturnType<typeof clientOf>) => Promise<unknown>) {
    using server = serve(() => new Response('[]'))
    const relay = relayTo(Number(new URL(server.url).port))
    try {
      const url = `http://127.0.0.1:${relay.port}`
      // The connection of this request stays open for the next ones.
      await (await fetch(url)).text()
      relay.lose(1, /^(PUT|DELETE|POST) /)
      expect(await rejection(change(clientOf(url)))).toBeInstanceOf(ConnectionError)
      return relay.requests.map((line) => line.split(' ')[0])
    } finally {
      relay.stop()
    }
  }

  it('is sent once if it is an upload under a condition', async () => {
    const bytes = bytesOf('{}')
    expect(await broken((client) => client.put(orders, bytes, { ifLatest: 'absent' }))).toEqual([
      'GET',
      'PUT',
    ])
    expect(await broken((client) => client.put(orders, bytes, { ifLatest: digestOf(bytes) }))).toEqual([
      'GET',
      'PUT',
    ])
  })

  it('is sent once if it is a move of a tag under a condition', async () => {
    const digest = digestOf(bytesOf('{}'))
    expect(await broken((client) => client.putTag(orders, 'live', digest, { ifAbsent: true }))).toEqual([
      'GET',
      'PUT',
    ])
  })

  it('is sent once if it deletes versions or removes a tag', async () => {
    const digest = digestOf(bytesOf('{}'))
    expect(await broken((client) => client.deleteVersion({ ...orders, digest }))).toEqual(['GET', 'DELETE'])
    expect(await broken((client) => client.deleteMany([{ ...orders, digest }]))).toEqual(['GET', 'POST'])
    expect(await broken((client) => client.deleteTag(orders, 'live'))).toEqual(['GET', 'DELETE'])
  })
})

describe('ProtocolError', () => {
  it('stands for a good status with something other than JSON', async () => {
    using server = serve(() => new Response('<h1>Welcome</h1>'))
    expect(await rejection(clientOf(server.url).listPage())).toBeInstanceOf(ProtocolError)
  })
})

describe('what a call sends', () => {
  it('authorises with the token, which may be asked for before every call', async () => {
    const seen: (string | null)[] = []
    using server = serve((request) => {
      seen.push(request.headers.get('authorization'))
      return Response.json({ documents: [], nextCursor: null })
    })
    let calls = 0
    const client = clientOf(server.url, { token: async () => `${testToken}${++calls}` })
    await client.listPage()
    await client.listPage()
    expect(seen).toEqual([`Bearer ${testToken}1`, `Bearer ${testToken}2`])
  })

  it('starts a trace and names the call, and reports both in errors', async () => {
    const seen: Headers[] = []
    using server = serve((request) => {
      seen.push(request.headers)
      return problemAnswer(404, { code: 'document_not_found' })
    })
    const error = await rejection(clientOf(server.url).get(orders))
    const [headers] = seen
    expect(headers?.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    expect(headers?.get('x-correlation-id')).toMatch(/^[0-9a-f]{32}$/)
    expect(error).toMatchObject({
      traceId: headers?.get('traceparent')?.slice(3, 35),
      correlationId: headers?.get('x-correlation-id'),
    })
  })

  it("continues the caller's own trace and correlation id", async () => {
    const seen: Headers[] = []
    using server = serve((request) => {
      seen.push(request.headers)
      return Response.json({ documents: [], nextCursor: null })
    })
    const traceparent = `00-${traceId}-00f067aa0ba902b7-00`
    await clientOf(server.url, { traceparent: () => traceparent, correlationId: () => 'order:17' }).listPage()
    expect(seen[0]?.get('traceparent')).toBe(traceparent)
    expect(seen[0]?.get('x-correlation-id')).toBe('order:17')
  })

  it('keeps a path of the URL as a prefix', async () => {
    using server = serve((_request, url) => Response.json({ documents: [], nextCursor: url.pathname }))
    const page = await clientOf(`${server.url}/platform/`).listPage()
    expect(page.nextCursor).toBe('/platform/v1/tenants/acme/documents')
  })
})

describe('createDocumentsClient', () => {
  const options = { url: 'https://documents.example.com', token: testToken, tenant: 'acme' }

  it('takes an http or https URL', () => {
    expect(() => createDocumentsClient(options)).not.toThrow()
    expect(() => createDocumentsClient({ ...options, url: 'http://127.0.0.1:8080' })).not.toThrow()
  })

  it('refuses a URL of another scheme, or one with a user, a query or a fragment', () => {
    expect(() => createDocumentsClient({ ...options, url: 'ftp://example.com' })).toThrow(ArgumentError)
    expect(() => createDocumentsClient({ ...options, url: 'https://ada:pw@example.com' })).toThrow(
      ArgumentError,
    )
    expect(() => createDocumentsClient({ ...options, url: 'https://example.com?a=b' })).toThrow(ArgumentError)
    expect(() => createDocumentsClient({ ...options, url: 'https://example.com#a' })).toThrow(ArgumentError)
    expect(() => createDocumentsClient({ ...options, url: 'example.com' })).toThrow(ArgumentError)
  })

  it('sends a token over plain http to the loopback interface alone', () => {
    const at = (url: string) => () => createDocumentsClient({ ...options, url })
    for (const host of ['127.0.0.1:8080', '127.1.2.3', '[::1]:8080', 'localhost:8080', 'acme.localhost'])
      expect(at(`http://${host}`)).not.toThrow()
    for (const host of [
      'documents:8080',
      '10.0.0.1',
      '192.168.1.2',
      '0.0.0.0',
      '[fd00::1]',
      'localhost.example.com',
    ])
      expect(at(`http://${host}`)).toThrow(ArgumentError)
    for (const host of ['127.0.0.1.example.com', 'notlocalhost', '128.0.0.1', '[::ffff:127.0.0.1]'])
      expect(at(`http://${host}`)).toThrow('url must be https')
    expect(at('https://documents:8443')).not.toThrow()
  })

  it('refuses a tenant, a type, a name or a tag that would leave its path', async () => {
    expect(() => createDocumentsClient({ ...options, tenant: '../globex' })).toThrow(ArgumentError)
    const client = createDocumentsClient(options)
    expect(await rejection(client.get({ type: '..', name: 'x' }))).toBeInstanceOf(ArgumentError)
    expect(await rejection(client.get({ type: 'definitions', name: '..' }))).toBeInstanceOf(ArgumentError)
    expect(await rejection(client.get({ ...orders, tag: 'a/b' }))).toBeInstanceOf(ArgumentError)
  })

  it('refuses a correlation id that could forge a header', async () => {
    const client = createDocumentsClient({ ...options, correlationId: 'a\r\nb: c' })
    expect(await rejection(client.listPage())).toBeInstanceOf(ArgumentError)
  })

  it('never puts the token in an error, not even one that cannot be sent', async () => {
    const malformed = createDocumentsClient({ ...options, token: `${testToken}\n` })
    const refused = await rejection(malformed.listPage())
    expect(refused).toBeInstanceOf(ArgumentError)
    expect(inspect(refused, { depth: 10 })).not.toContain(testToken)
  })

  it('never puts the token in an error of the runtime', async () => {
    const quoting = () =>
      Promise.reject(new TypeError('fetch failed', { cause: new Error(`Bearer ${testToken}`) }))
    const error = await rejection(createDocumentsClient({ ...options, fetch: quoting }).listPage())
    expect(error).toBeInstanceOf(ConnectionError)
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(testToken)
  })
})
