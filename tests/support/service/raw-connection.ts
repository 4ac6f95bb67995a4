import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** One answer as it came, taken apart by RFC 9112 and no more. */
export interface RawAnswer {
  /** Such as `HTTP/1.1 200 OK`. */
  statusLine: string
  status: number
  /** Names in lower case; of a repeated one, all values with a comma between. */
  headers: Readonly<Record<string, string>>
  /** Taken out of its chunks. */
  body: string
}

/** A TCP connection on which requests are written byte by byte. */
export interface RawConnection {
  send(bytes: string | Uint8Array): void
  /**
   * The next answer, interim ones (1xx) included. Without `toHead` an announced body is waited for.
   *
   * @returns `null` if the server closes before a whole answer came.
   * @throws {Error} if nothing comes for `answerSecondsMax`.
   */
  answer(options?: { toHead?: boolean }): Promise<RawAnswer | null>
  /** What came and was not taken as an answer yet. */
  rest(): string
  /** True if the server closes within the given time. */
  closesWithin(milliseconds: number): Promise<boolean>
  close(): void
}

const answerSecondsMax = 10
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

/** Sends `request` on a connection of its own and gives the first answer. */
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
    const taken = takeAnswer(received.text, toHead, received.ended)
    if (taken) {
      received.text = received.text.slice(taken.length)
      return taken.answer
    }
    if (received.ended) return null
    if (performance.now() > deadline) throw new Error(`no answer; so far: ${JSON.stringify(received.text)}`)
    await Bun.sleep(pollMilliseconds)
  }
}

function takeAnswer(text: string, toHead: boolean, ended: boolean) {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [statusLine = '', ...fields] = text.slice(0, headEnd).split('\r\n')
  const headers: Record<string, string> = {}
  for (const field of fields) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    const value = field.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const status = Number(statusLine.split(' ')[1])
  const start = headEnd + 4
  const body = bodyless(status, toHead)
    ? { body: '', length: 0 }
    : takeBody(text.slice(start), headers, ended)
  return body && { answer: { statusLine, status, headers, body: body.body }, length: start + body.length }
}

/** RFC 9112 section 6.3, items 1 and 2. */
function bodyless(status: number, toHead: boolean): boolean {
  return toHead || status < 200 || status === 204 || status === 304
}

function takeBody(text: string, headers: Readonly<Record<string, string>>, ended: boolean) {
  if (headers['transfer-encoding'] === 'chunked') return takeChunks(text)
  const declared = headers['content-length']
  if (declared === undefined) return ended ? { body: text, length: text.length } : null
  const length = Number(declared)
  return text.length < length ? null : { body: text.slice(0, length), length }
}

/** RFC 9112 section 7.1, without trailers. */
function takeChunks(text: string) {
  let body = ''
  let at = 0
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) return null
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    const start = lineEnd + 2
    if (text.length < start + size + 2) return null
    body += text.slice(start, start + size)
    at = start + size + 2
    if (size === 0) return { body, length: at }
  }
}
