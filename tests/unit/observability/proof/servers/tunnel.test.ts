import { afterEach, describe, expect, it } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { startTunnel, type Tunnel } from '../../../../../observability/proof/servers/tunnel.ts'

const started: { stop(): unknown }[] = []
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})

/** A server that answers every request with its path, and a tunnel to it. */
async function tunnelToServer(): Promise<{ tunnel: Tunnel; target: string }> {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: ({ url }) => new Response(new URL(url).pathname),
  })
  const target = `127.0.0.1:${server.port}`
  const tunnel = await startTunnel(target)
  started.push({ stop: () => tunnel.close() }, { stop: () => server.stop(true) })
  return { tunnel, target }
}

describe('a tunnel', () => {
  it('passes on what comes after CONNECT to its one target, and the answer back', async () => {
    const { tunnel, target } = await tunnelToServer()
    const client = dial(tunnel)
    expect(await client.ask(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)).toStartWith(
      'HTTP/1.1 200 ',
    )
    const answer = await client.ask(`GET /through HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
    expect(answer).toEndWith('/through')
  })

  it('leads nowhere else', async () => {
    const { tunnel } = await tunnelToServer()
    expect(await dial(tunnel).ask('CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n')).toStartWith('HTTP/1.1 403 ')
    expect(await dial(tunnel).ask('GET http://127.0.0.1/ HTTP/1.1\r\n\r\n')).toStartWith('HTTP/1.1 403 ')
  })

  it('closes what is open when it is cut, refuses what comes, and leads again once it is restored', async () => {
    const { tunnel, target } = await tunnelToServer()
    const open = dial(tunnel)
    await open.ask(`CONNECT ${target} HTTP/1.1\r\n\r\n`)
    tunnel.cut()
    await open.closed
    await dial(tunnel).closed
    tunnel.restore()
    expect(await dial(tunnel).ask(`CONNECT ${target} HTTP/1.1\r\n\r\n`)).toStartWith('HTTP/1.1 200 ')
  })
})

/** A connection to the tunnel; `ask` gives what comes next. */
function dial({ url }: Tunnel) {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const ask = (text: string) => {
    const answer = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())))
    socket.write(text)
    return answer
  }
  started.push({ stop: () => socket.destroy() })
  return { ask, closed }
}
