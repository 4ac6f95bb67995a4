import { afterEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { askPatiently, askSuccessfully } from '../../../../../observability/proof/servers/ask.ts'

setDefaultTimeout(60_000)

let server: Bun.Server<unknown> | undefined
afterEach(() => server?.stop(true))

/** A server that gives these statuses, the last one again and again; how often it was asked. */
function answering(...statuses: number[]) {
  let asked = 0
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch() {
      asked += 1
      return new Response(`answer ${asked}`, { status: statuses[asked - 1] ?? statuses.at(-1) ?? 500 })
    },
  })
  return { url: `${server.url.origin}/traces`, asked: () => asked }
}

describe('a question to Loki or Tempo', () => {
  it('is asked again after a failure of the server, which a slow store can be', async () => {
    const { url, asked } = answering(500, 503, 200)
    expect(await askSuccessfully(url)).toEqual({ status: 200, text: 'answer 3' })
    expect(asked()).toBe(3)
  })

  it('is asked three times at most', async () => {
    const { url, asked } = answering(500)
    await expect(askSuccessfully(url)).rejects.toThrow('/traces answered 500 answer 3')
    expect(asked()).toBe(3)
  })

  it('is not asked again where the answer says something about the question', async () => {
    const { url, asked } = answering(404, 200)
    expect((await askPatiently(url)).status).toBe(404)
    expect(asked()).toBe(1)
  })
})
