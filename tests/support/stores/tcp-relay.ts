import { readFileSync } from 'node:fs'
import type { Socket } from 'bun'

/** A relay in front of a server: what a client opens and sends can be counted, and lost. */
export interface TcpRelay {
  port: number
  /** Connections that clients have open now. */
  open(): number
  /** The most that were open at once. */
  openMax(): number
  /** Request lines that clients sent, such as `GET /bucket/key HTTP/1.1`. */
  requests: string[]
  /** Cuts the next `requests` requests off whose lines match, before the server sees them; default: any. */
  lose(requests: number, matches?: RegExp): void
  /** From now on lets this many bytes of the server's answers through on each connection, then ends it. */
  cutAfter(answeredBytes: number): void
  stop(): void
}

interface Ends {
  peer?: Socket<Ends>
  /** What the client sent before there was a server to send it to. */
  early: Uint8Array[]
  /** What the socket has not taken yet. */
  pending: Uint8Array[]
  answeredBytes: number
  /** Ends once it has taken what is pending. */
  cut: boolean
}

const anyLine = /^/

/**
 * Relays 127.0.0.1:`port` to a server on 127.0.0.1. Signatures hold: nothing is rewritten, and the host that
 * clients sign is the relay's. Writes are not paced, so it is for bodies that fit into memory.
 */
export function relayTo(serverPort: number): TcpRelay {
  const clients = new Set<Socket<Ends>>()
  const requests: string[] = []
  let openMax = 0
  let losing = 0
  let lostLines = anyLine
  let cutAfterBytes = Number.POSITIVE_INFINITY

  const listener = Bun.listen<Ends>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      async open(client) {
        client.data = { early: [], pending: [], answeredBytes: 0, cut: false }
        clients.add(client)
        // On a busy machine closed connections are noticed late: an apparent new maximum is verified with the kernel.
        if (clients.size > openMax) openMax = Math.max(openMax, connectionsTo(listener.port))
        await connectServer(client)
      },
      data(client, bytes) {
        const lines = requestLines(bytes)
        requests.push(...lines)
        if (losing > 0 && lines.some((line) => lostLines.test(line))) {
          losing -= 1
          client.terminate()
        } else if (client.data.peer) send(client.data.peer, bytes)
        else client.data.early.push(bytes.slice())
      },
      drain: flush,
      close(client) {
        clients.delete(client)
        client.data.peer?.end()
      },
    },
  })

  async function connectServer(client: Socket<Ends>): Promise<void> {
    const server = await Bun.connect<Ends>({
      hostname: '127.0.0.1',
      port: serverPort,
      socket: {
        data(server, bytes) {
          const room = cutAfterBytes - client.data.answeredBytes
          client.data.answeredBytes += bytes.length
          client.data.cut = bytes.length > room
          send(client, bytes.subarray(0, Math.max(room, 0)))
          if (client.data.cut) server.terminate()
        },
        drain: flush,
        close: () => {
          if (!client.data.cut) client.end()
        },
      },
      data: { peer: client, early: [], pending: [], answeredBytes: 0, cut: false },
    })
    client.data.peer = server
    for (const bytes of client.data.early.splice(0)) send(server, bytes)
  }

  return {
    port: listener.port,
    open: () => connectionsTo(listener.port),
    openMax: () => openMax,
    requests,
    lose: (count, matches = anyLine) => {
      losing = count
      lostLines = matches
    },
    cutAfter: (answeredBytes) => {
      cutAfterBytes = answeredBytes
      for (const { data } of clients) data.answeredBytes = 0
    },
    stop: () => listener.stop(true),
  }
}

/**
 * Connections that clients have open to 127.0.0.1:`port`, by what the kernel says (proc_pid_net(5)): closed
 * ones are not among them, whether or not their other end has noticed.
 */
function connectionsTo(port: number): number {
  const remote = ` 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 01 `
  const lines = () => readFileSync('/proc/net/tcp', 'latin1').split('\n')
  const count = () => lines().filter((line) => line.includes(remote)).length
  // The kernel writes one line after the other: one that closes and one that opens meanwhile may both be there.
  return Math.min(count(), count())
}

function send(to: Socket<Ends>, bytes: Uint8Array): void {
  to.data.pending.push(bytes.slice())
  flush(to)
}

/** A socket takes what its buffer has room for; the rest waits for `drain`. */
function flush(to: Socket<Ends>): void {
  for (let next = to.data.pending[0]; next !== undefined; next = to.data.pending[0]) {
    const written = Math.max(to.write(next), 0)
    if (written < next.length) {
      to.data.pending[0] = next.subarray(written)
      return
    }
    to.data.pending.shift()
  }
  if (to.data.cut) to.end()
}

/** Good enough for requests that begin a write of the client, as those of HTTP clients do. */
function requestLines(bytes: Uint8Array): string[] {
  const line = /^[A-Z]+ \S+ HTTP\/1\.1(?=\r\n)/.exec(Buffer.from(bytes.subarray(0, 8192)).toString('latin1'))
  return line ? [line[0]] : []
}
