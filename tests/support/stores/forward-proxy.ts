import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

/** A proxy as companies have them between their machines and the internet (RFC 9110 section 9.3.6). */
export interface ForwardProxy {
  url: string
  /** The first line of every connection, such as `CONNECT store.test:443 HTTP/1.1`. */
  requests: string[]
  stop(): void
}

/**
 * Starts one on loopback that opens tunnels to `hosts`, whose names only it knows, and refuses everything else.
 *
 * @param hosts ports of this machine by `host:port`.
 */
export async function startForwardProxy(hosts: Readonly<Record<string, number>> = {}): Promise<ForwardProxy> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const kept = (socket: Socket) => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    kept(client).once('data', (bytes) => {
      const [line = ''] = bytes.toString('latin1').split('\r\n')
      requests.push(line)
      const port = hosts[/^CONNECT (\S+) /.exec(line)?.[1] ?? '']
      if (port === undefined) {
        client.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
        return
      }
      const upstream = kept(connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 Connected\r\n\r\n')))
      upstream.pipe(client)
      client.pipe(upstream)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Returns an environment in which every variable that programs take for a proxy names this one. */
export function namingProxy({ url }: ForwardProxy): Record<string, string> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY']
  return Object.fromEntries(names.flatMap((name) => [name, name.toLowerCase()].map((each) => [each, url])))
}
