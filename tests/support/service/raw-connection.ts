import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parseAnswer } from './raw-http.ts'

/** One answer as it came, parsed by RFC 9112 and no more. */
export interface RawAnswer {
  /** Such as `HTTP/1.1 200 OK`. */
  statusLine: string
  status: number
  /** Names in lower case; the values of a repeated one are joined by commas. */
  headers: Readonly<Record<string, string>>
  /** Without chunk framing, one character per byte. */
  body: string
}

/** A TCP connection on which requests are written byte by byte. */
export interface RawConnection {
  send(bytes: string | Uint8Array): void
  /**
   * Waits for the next answer, interim ones (1xx) included, with its body unless it answers a HEAD (`toHead`).
   *
   * @returns `null` if the server closes the connection before the answer is complete.
   * @throws {Error} if there is no complete answer after `answerSecondsMax`.
   */
  answer(options?: { toHead?: boolean }): Promise<RawAnswer | null>
  /** Returns what has arrived and is not part of an answer yet. */
  rest(): string
  /** Resolves to whether the server closes the connection within the given time. */
  closesWithin(milliseconds: number): Promise<boolean>
  close(): void
}

/** Catches what hangs. */
const answerSecondsMax = 120
const pollMilliseconds = 5

/** Connects to the origin of a service. */
export async function rawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const received = receive(socket)
  await once(socket, 'connect')
  return {
    send: (bytes) => void socket.write(bytes),
    answer: ({ toHead = false } = {}) => nextAnswer(received, toHead),
    rest: () => received.text,
    async closesWithin(milliseconds) {
      const deadline = performance.now() + milliseconds
      while (!received.ended && performance.now() < deadline) await Bun.sleep(pollMilliseconds)
      return received.ended
    },
    close: () => socket.destroy(),
  }
}

/** Sends `request` on its own connection and returns the first answer, `null` as {@link RawConnection.answer}. */
export async function answerTo(url: string, request: string): Promise<RawAnswer | null> {
  const connection = await rawConnection(url)
  try {
    connection.send(request)
    return await connection.answer({ toHead: request.startsWith('HEAD') })
  } finally {
    connection.close()
  }
}

interface Received {
  /** One character per byte. */
  text: string
  ended: boolean
}

function receive(socket: Socket): Received {
  const received: Received = { text: '', ended: false }
  socket.on('data', (bytes) => {
    received.text += bytes.toString('latin1')
  })
  socket.on('close', () => {
    received.ended = true
  })
  socket.on('end', () => {
    received.ended = true
  })
  // A reset connection has ended, too.
  socket.on('error', () => {})
  return received
}

async function nextAnswer(received: Received, toHead: boolean): Promise<RawAnswer | null> {
  const deadline = performance.now() + answerSecondsMax * 1000
  for (;;) {
    const parsed = parseAnswer(Buffer.from(received.text, 'latin1'), toHead)
    const endsWithConnection = received.ended && parsed?.headers.has('content-length') === false
    if (parsed && (parsed.complete || (endsWithConnection && !parsed.headers.has('transfer-encoding')))) {
      received.text = received.text.slice(parsed.length)
      const { statusLine, status, headers, body } = parsed
      return { statusLine, status, headers: Object.fromEntries(headers), body: body.toString('latin1') }
    }
    if (received.ended) return null
    if (performance.now() > deadline) throw new Error(`no answer; so far: ${JSON.stringify(received.text)}`)
    await Bun.sleep(pollMilliseconds)
  }
}
