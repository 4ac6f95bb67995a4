import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { Elysia } from 'elysia'
import { discardAnswer, notePassedOn, watchPassedOn } from '../../../../service/http/passed-on.ts'
import { MiB } from '../../../support/service/sample-documents.ts'
import { until } from '../../../support/waiting.ts'

setDefaultTimeout(60_000)

const bytes = new Uint8Array(64 * MiB).fill(7)
const ended: string[] = []
let source: Bun.Server<undefined>
let app: Elysia

/** A server that passes the answer of another one on, and so sees no chunk of it. */
beforeAll(() => {
  source = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response(bytes) })
  app = new Elysia()
  const watch = watchPassedOn(app)
  app.wrap((next) => async (request: Request) => {
    const response = await (next as unknown as (request: Request) => Promise<Response>)(request)
    watch(request, response)
    return response
  })
  app.get('/:name', async ({ params, request }) => {
    const { body } = await fetch(source.url, { signal: request.signal })
    const response = new Response(body)
    notePassedOn(response, { idleSecondsMax: 4, end: () => ended.push(params.name) })
    return response
  })
  app.listen({ hostname: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await app.stop(true)
  await source.stop(true)
})

const get = (name: string, init: RequestInit = {}) => fetch(new URL(name, app.server?.url), init)

describe('an answer that is passed on', () => {
  it('is known to have ended once its client has all of it, and not before', async () => {
    const response = await get('whole')
    await Bun.sleep(100)
    expect(ended).not.toContain('whole')
    expect((await response.bytes()).byteLength).toBe(bytes.length)
    await until(() => ended.includes('whole'))
  })

  it('is known to have ended when its client disconnects', async () => {
    const gone = new AbortController()
    const response = await get('left', { signal: gone.signal })
    expect(response.status).toBe(200)
    gone.abort()
    await until(() => ended.includes('left'))
  })

  it('is ended when nothing of it has moved for as long as it may', async () => {
    const stalled = await get('stalled')
    // Bun reads on until its own buffers are full, and then no more.
    await until(() => ended.includes('stalled'))
    await expect(stalled.bytes()).rejects.toThrow()
    expect((await get('afterwards')).status).toBe(200)
  })

  it('has ended once, and at once if it is not sent', () => {
    let ends = 0
    const response = new Response(new ReadableStream())
    notePassedOn(response, {
      idleSecondsMax: 4,
      end() {
        ends += 1
      },
    })
    discardAnswer(response)
    expect(ends).toBe(1)
    discardAnswer(new Response('an answer that was not passed on'))
    expect(ended.filter((name) => name === 'whole')).toHaveLength(1)
  })
})
