import { connect, type Socket } from 'node:net'

/** An answer as it came back on a socket. */
export interface ParsedAnswer {
  /** Such as `HTTP/1.1 200 OK`. */
  statusLine: string
  status: number
  headers: Headers
  /** The bytes that have arrived, without chunk framing. */
  body: Buffer
  /** Whether the final chunk or the last byte of Content-Length has arrived (RFC 9112 section 8). */
  complete: boolean
  /** How many of the bytes that have arrived belong to the answer, head included. */
  length: number
}

export interface RawRequest {
  method: string
  path: string
  headers?: Readonly<Record<string, string>>
}

/** One request on its own connection, sent byte by byte as the test likes. */
export interface RawExchange {
  /** Resolves once the kernel has taken the bytes. */
  send(bytes: Uint8Array): Promise<void>
  /** Sends one chunk of a chunked body (RFC 9112 section 7.1); without bytes it is the last one. */
  sendChunk(bytes?: Uint8Array): Promise<void>
  /** Returns the number of bytes that have arrived so far. */
  received(): number
  /**
   * Waits until the answer is complete or the connection ends, and closes the connection.
   *
   * @throws {Error} if the connection ends before the head of an answer, or if bytes follow the answer.
   */
  answer(): Promise<ParsedAnswer>
  /** Sends no more, as if that had been all (FIN), and still reads. */
  end(): void
  /** Resets the connection, like a client that is switched off. */
  reset(): void
  /** Stops reading, so that the peer's writes back up. */
  pause(): void
  /** Reads again after {@link pause}. */
  resume(): void
}

/** Opens a connection to `origin` and sends the head of `request`. */
export async function rawRequest(origin: string, request: RawRequest): Promise<RawExchange> {
  const { hostname, port, host } = new URL(origin)
  const socket = connect({ host: hostname, port: Number(port) })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const arrived: Buffer[] = []
  let bytes = 0
  let ended = false
  let changed = Promise.withResolvers<void>()
  const tell = () => {
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }
  socket.on('data', (data: Buffer) => {
    arrived.push(data)
    bytes += data.length
    tell()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    ended = true
    tell()
  })
  const send = (part: Uint8Array) => write(socket, part)
  await send(Buffer.from(headOf(request, host)))
  return {
    send,
    sendChunk: (part = new Uint8Array()) =>
      send(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])),
    received: () => bytes,
    async answer() {
      for (;;) {
        const { promise } = changed
        const parsed = ended || mayBeWhole(arrived, bytes) ? parseAnswer(Buffer.concat(arrived)) : null
        if (ended && parsed === null) throw new Error('the connection ended before an answer began')
        if (parsed && (ended || parsed.complete)) {
          if (parsed.length < bytes) throw new Error(`${bytes - parsed.length} bytes follow the answer`)
          socket.destroy()
          return parsed
        }
        await promise
      }
    },
    end: () => void socket.end(),
    reset: () => socket.resetAndDestroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  }
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => socket.write(bytes, () => resolve()))
}

function headOf({ method, path, headers = {} }: RawRequest, host: string): string {
  // Not `Connection: close`: a server that answers early would then reset what is still being sent, and its
  // answer with it (RFC 9112 section 9.6).
  const fields = Object.entries({ host, ...headers })
  return `${method} ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

/** Decides cheaply whether parsing everything again may be worthwhile: by the length or the last chunk. */
function mayBeWhole(arrived: readonly Buffer[], bytes: number): boolean {
  const head = Buffer.concat(arrived.slice(0, 3)).subarray(0, 8192).toString('latin1')
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1]
  if (length !== undefined) return bytes >= Number(length)
  return bytes < 65_536 || Buffer.concat(arrived.slice(-6)).subarray(-5).toString('latin1') === '0\r\n\r\n'
}

/**
 * Takes the first answer out of the bytes that have arrived (RFC 9112 section 6.3, without trailers).
 *
 * @param toHead whether it answers a HEAD, so has no body whatever its headers say.
 * @returns `null` while its head is incomplete. An answer that declares no length is never complete by itself.
 */
export function parseAnswer(bytes: Buffer, toHead = false): ParsedAnswer | null {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()]
    }),
  )
  const status = Number(statusLine.split(' ')[1])
  const rest = bytes.subarray(headEnd + 4)
  const bodiless = toHead || status < 200 || status === 204 || status === 304
  const { body, length, complete } = bodiless
    ? { body: Buffer.alloc(0), length: 0, complete: true }
    : bodyOf(rest, headers)
  return { statusLine, status, headers, body, complete, length: headEnd + 4 + length }
}

function bodyOf(rest: Buffer, headers: Headers) {
  if (headers.get('transfer-encoding') === 'chunked') return dechunk(rest)
  const declared = Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY)
  const body = rest.subarray(0, declared)
  return { body, length: body.length, complete: body.length === declared }
}

function dechunk(bytes: Buffer) {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return { body: Buffer.concat(chunks), length: bytes.length, complete: false }
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    const from = lineEnd + 2
    const end = from + size + 2
    chunks.push(bytes.subarray(from, from + size))
    if (bytes.length < end) return { body: Buffer.concat(chunks), length: bytes.length, complete: false }
    if (size === 0) return { body: Buffer.concat(chunks), length: end, complete: true }
    at = end
  }
}
