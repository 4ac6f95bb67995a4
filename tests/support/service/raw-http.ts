import { connect, type Socket } from 'node:net'

/** What came back on a socket, and whether its framing says that it is all. */
export interface RawAnswer {
  status: number
  headers: Headers
  body: Buffer
  /** The final chunk or the last byte of Content-Length was there (RFC 9112 section 8). */
  complete: boolean
}

export interface RawRequest {
  method: string
  path: string
  headers?: Readonly<Record<string, string>>
}

/** One request on a connection of its own, byte by byte as the test likes. */
export interface RawExchange {
  /** Resolves once the kernel has taken the bytes. */
  send(bytes: Uint8Array): Promise<void>
  /** One chunk of a chunked body (RFC 9112 section 7.1); none is the last one. */
  sendChunk(bytes?: Uint8Array): Promise<void>
  /** Bytes that have arrived so far. */
  received(): number
  /** All that comes until the answer is complete or the connection ends. */
  answer(): Promise<RawAnswer>
  /** Sends no more, as if that had been all (FIN); still reads. */
  end(): void
  /** As a client does that is switched off: a reset, no farewell. */
  reset(): void
  /** Stops and resumes reading, so that the peer's writes back up. */
  pause(): void
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

/** A cheap look before everything is parsed again: the last byte of a length, or a last chunk. */
function mayBeWhole(arrived: readonly Buffer[], bytes: number): boolean {
  const head = Buffer.concat(arrived.slice(0, 3)).subarray(0, 8192).toString('latin1')
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1]
  if (length !== undefined) return bytes >= Number(length)
  return bytes < 65_536 || Buffer.concat(arrived.slice(-6)).subarray(-5).toString('latin1') === '0\r\n\r\n'
}

function parseAnswer(bytes: Buffer): RawAnswer | null {
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
  if (headers.get('transfer-encoding') === 'chunked') return { status, headers, ...dechunk(rest) }
  // RFC 9112 section 6.3: these never have a body.
  const bodiless = status === 204 || status === 304
  const size = bodiless ? 0 : Number(headers.get('content-length') ?? Number.NaN)
  return { status, headers, body: rest, complete: rest.length === size }
}

function dechunk(bytes: Buffer): { body: Buffer; complete: boolean } {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return { body: Buffer.concat(chunks), complete: false }
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    const from = lineEnd + 2
    if (size === 0)
      return { body: Buffer.concat(chunks), complete: bytes.subarray(from, from + 2).length === 2 }
    chunks.push(bytes.subarray(from, from + size))
    if (bytes.length < from + size + 2) return { body: Buffer.concat(chunks), complete: false }
    at = from + size + 2
  }
}
