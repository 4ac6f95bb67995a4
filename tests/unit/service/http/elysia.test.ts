import { describe, expect, it } from 'bun:test'
import { Type } from '@sinclair/typebox'
import { Elysia, t } from 'elysia'

/**
 * What `service/http/app.ts` does by itself, because Elysia does something else. If an upgrade changes one of these,
 * the app may become smaller.
 */
describe('Elysia by itself', () => {
  const ask = (
    app: { fetch(request: Request): Response | Promise<Response> },
    method: string,
    path: string,
  ) => Promise.resolve(app.fetch(new Request(`http://127.0.0.1${path}`, { method })))

  it('answers an unknown method at a known address with 404, not 405', async () => {
    const app = new Elysia().get('/things/:id', () => 'one')
    expect((await ask(app, 'PATCH', '/things/1')).status).toBe(404)
  })

  it('answers HEAD by the handler of GET, although there is one for HEAD', async () => {
    const called: string[] = []
    const app = new Elysia()
      .get('/things/:id', () => {
        called.push('GET')
        return 'all of it'
      })
      .head('/things/:id', () => {
        called.push('HEAD')
        return new Response(null, { headers: { 'content-length': '12' } })
      })
    const response = await ask(app, 'HEAD', '/things/1')
    expect([called, response.headers.get('content-length')]).toEqual([['GET'], '9'])
  })

  it('reads other texts than whole numbers as integers in a query, with its own schemas', async () => {
    const app = new Elysia().get('/', ({ query }) => String(query.limit), {
      query: t.Object({ limit: t.Integer() }),
    })
    for (const [text, limit] of [
      ['1e1', '10'],
      ['0x10', '16'],
      ['%2B5', '5'],
    ])
      expect([text, await (await ask(app, 'GET', `/?limit=${text}`)).text()]).toEqual([text, limit])
  })

  it('refuses whole numbers in a query, with schemas of TypeBox', async () => {
    const app = new Elysia().get('/', () => 'taken', { query: Type.Object({ limit: Type.Integer() }) })
    expect((await ask(app, 'GET', '/?limit=10')).status).toBe(422)
  })
})
