import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { ConnectionError, ProblemError } from '../../../../service/client/errors.ts'
import { fetchByXhr } from '../../../../service/client/xhr-fetch.ts'
import {
  bytesOf,
  clientOf,
  documentOf,
  problemAnswer,
  rejection,
  serve as serveElsewhere,
} from '../../../support/client/client-service.ts'
import { comeFrom, openDom } from '../../../support/ui/ui-dom.ts'

// An XMLHttpRequest, which the runtime has not. What only a browser tells, bytes on their way, is tested in one.
await openDom()

const ignore = () => undefined

// The window says of every failure what a browser would say in its console; here, failures are what is tested.
const { error } = console
beforeAll(() => {
  console.error = ignore
})
afterAll(() => {
  console.error = error
})

/** A server that the page came from. */
const serve: typeof serveElsewhere = (answer) => {
  const server = serveElsewhere(answer)
  comeFrom(server.url)
  return server
}

describe('fetchByXhr', () => {
  it('sends method, headers and body, and gives the answer as fetch does', async () => {
    let seen: unknown
    using server = serve(async (request) => {
      seen = [request.method, request.headers.get('x-one'), await request.text()]
      return new Response('{"a":1}', {
        status: 201,
        headers: { 'content-type': 'application/json', etag: '"e"' },
      })
    })
    const response = await fetchByXhr(
      `${server.url}/x`,
      { method: 'PUT', headers: { 'X-One': 'first', 'content-length': '3' }, body: 'abc' },
      ignore,
    )
    expect(seen).toEqual(['PUT', 'first', 'abc'])
    expect([response.status, response.headers.get('etag')]).toEqual([201, '"e"'])
    expect(await response.json()).toEqual({ a: 1 })
  })

  it('gives an answer without a body', async () => {
    using server = serve(() => new Response(null, { status: 204 }))
    const response = await fetchByXhr(server.url, { method: 'POST', body: 'abc' }, ignore)
    expect([response.status, response.body]).toEqual([204, null])
  })

  it('gives refusals as answers, with their headers', async () => {
    using server = serve(() => new Response('busy', { status: 503, headers: { 'retry-after': '7' } }))
    const response = await fetchByXhr(server.url, { method: 'PUT', body: 'abc' }, ignore)
    expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
      ...[503, '7', 'busy'],
    ])
  })

  it('rejects if nothing listens', async () => {
    const closed = serve(() => new Response())
    closed[Symbol.dispose]()
    expect(await rejection(fetchByXhr(closed.url, { method: 'PUT', body: 'abc' }, ignore))).toBeInstanceOf(
      TypeError,
    )
  })

  it('rejects with the reason when it is aborted, before and meanwhile', async () => {
    const arrived = Promise.withResolvers<void>()
    using server = serve(() => {
      arrived.resolve()
      return new Promise<Response>(ignore)
    })
    const reason = new Error('enough')
    const before = AbortSignal.abort(reason)
    expect(await rejection(fetchByXhr(server.url, { signal: before }, ignore))).toBe(reason)
    const abort = new AbortController()
    const call = rejection(
      fetchByXhr(server.url, { method: 'PUT', body: 'abc', signal: abort.signal }, ignore),
    )
    await arrived.promise
    abort.abort(reason)
    expect(await call).toBe(reason)
  })

  it('takes no answer from another address than the one that was asked', async () => {
    using server = serve((_, url) =>
      url.pathname === '/there' ? new Response('other') : Response.redirect('/there', 307),
    )
    const error = await rejection(fetchByXhr(`${server.url}/here`, { method: 'PUT', body: 'abc' }, ignore))
    expect(error).toMatchObject({ code: 'redirected' })
  })
})

describe('put in a browser, watched', () => {
  const ref = { type: 'definitions', name: 'orders.json' }
  const bytes = bytesOf('{"a":1}')

  it('uploads through the service, and tells the end', async () => {
    using server = serve(async (request) => {
      const body = await request.bytes()
      return Response.json(documentOf(body), { status: 201 })
    })
    const told: string[] = []
    const { created } = await clientOf(server.url).put(ref, bytes, {
      onProgress: ({ phase, bytes, totalBytes }) => told.push(`${phase} ${bytes}/${totalBytes}`),
    })
    expect(created).toBe(true)
    expect(told.at(-1)).toBe('send 7/7')
  })

  it('says what the service said', async () => {
    using server = serve(() =>
      problemAnswer(413, { code: 'document_too_large', title: 'The document is too large' }),
    )
    const error = await rejection(clientOf(server.url).put(ref, bytes, { onProgress: ignore }))
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ code: 'document_too_large', status: 413 })
  })

  it('says that there was no answer', async () => {
    const closed = serve(() => new Response())
    closed[Symbol.dispose]()
    const error = await rejection(clientOf(closed.url).put(ref, bytes, { onProgress: ignore }))
    expect(error).toBeInstanceOf(ConnectionError)
  })
})
