import { lookup } from 'node:dns/promises'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'

/** An HTTP proxy on 127.0.0.1 that leads to one target and can be cut. */
export interface Tunnel {
  /** For `HTTPS_PROXY`. */
  url: string
  /** Closes open connections, and refuses new ones. */
  cut(): void
  /** Accepts connections again. */
  restore(): void
  close(): Promise<void>
}

/** Most bytes that Loki and Tempo send before their first byte of TLS. */
const headBytesMax = 8192
const endOfHead = '\r\n\r\n'

/**
 * Starts a proxy for one method, CONNECT, and one target (RFC 9110 section 9.3.6). TLS passes through it unchanged, so
 * the server behind it needs no other certificate.
 *
 * @param target `host:port`.
 */
export async function startTunnel(target: string): Promise<Tunnel> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    keep(client)
    if (isCut) client.destroy()
    else answerConnect(client, target, keep)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))

  function keep(socket: Socket): void {
    sockets.add(socket)
    // The other end notices by itself.
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }

  function closeAll(): void {
    for (const socket of sockets) socket.destroy()
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true
      closeAll()
    },
    restore() {
      isCut = false
    },
    async close() {
      closeAll()
      await new Promise((closed) => server.close(closed))
    },
  }
}

function answerConnect(client: Socket, target: string, keep: (socket: Socket) => void): void {
  let head = Buffer.alloc(0)
  const read = (bytes: Buffer) => {
    head = Buffer.concat([head, bytes])
    const end = head.indexOf(endOfHead)
    if (end < 0 && head.length <= headBytesMax) return
    client.off('data', read)
    if (end < 0 || !head.toString('latin1').startsWith(`CONNECT ${target} HTTP/1.1\r\n`)) {
      client.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: 0${endOfHead}`)
      return
    }
    void join(client, target, head.subarray(end + endOfHead.length), keep)
  }
  client.on('data', read)
}

/** @param early what the client has sent after its head. */
async function join(
  client: Socket,
  target: string,
  early: Buffer,
  keep: (socket: Socket) => void,
): Promise<void> {
  const upstream = await dialTarget(target)
  if (upstream === null || client.destroyed) {
    client.destroy()
    upstream?.destroy()
    return
  }
  keep(upstream)
  upstream.on('close', () => client.destroy())
  client.on('close', () => upstream.destroy())
  client.write(`HTTP/1.1 200 Connection Established${endOfHead}`)
  if (early.length > 0) upstream.write(early)
  client.pipe(upstream)
  upstream.pipe(client)
}

/** Tries each address of the name: the store may not listen on all of them. */
async function dialTarget(target: string): Promise<Socket | null> {
  const colon = target.lastIndexOf(':')
  const port = Number(target.slice(colon + 1))
  for (const address of await addressesOf(target.slice(0, colon))) {
    const socket = dial(port, address)
    const isOpen = await new Promise<boolean>((settled) => {
      socket.once('connect', () => settled(true))
      socket.once('error', () => settled(false))
    })
    if (isOpen) return socket
  }
  return null
}

/** Names below localhost are loopback (RFC 6761 section 6.3), which not every resolver knows. */
async function addressesOf(host: string): Promise<string[]> {
  if (host.endsWith('.localhost')) return ['127.0.0.1']
  const found = await lookup(host, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}
