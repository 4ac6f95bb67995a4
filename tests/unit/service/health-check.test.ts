import { afterEach, describe, expect, it } from 'bun:test'
import { isAlive } from '../../../service/health-check.ts'

let server: Bun.Server<undefined> | undefined

afterEach(() => server?.stop(true))

/** Answers `/livez` at one address of this machine; returns its port. */
function listenAt(hostname: string, status = 200): string {
  const fetch = ({ url }: Request) => new Response(null, { status: url.endsWith('/livez') ? status : 404 })
  server = Bun.serve({ hostname, port: 0, fetch })
  return String(server.port)
}

describe('the health check of the executable', () => {
  it('asks the service where it listens, also where that is one address alone', async () => {
    const port = listenAt('127.0.0.2')
    expect(await isAlive({ HOST: '127.0.0.2', PORT: port })).toBe(true)
    expect(await isAlive({ PORT: port })).toBe(false)
  })

  it('asks this machine where the service listens at every address', async () => {
    const port = listenAt('0.0.0.0')
    expect(await isAlive({ HOST: '0.0.0.0', PORT: port })).toBe(true)
  })

  it('takes nothing but 200 for life', async () => {
    expect(await isAlive({ PORT: listenAt('127.0.0.1', 503) })).toBe(false)
  })
})
