import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parseAnswer } from '../service/raw-http.ts'

/** What clients were answered that made the same request again and again. */
export interface Flooded {
  /** How often each status was answered, with `, Retry-After: <seconds>` where the answer has one. */
  answers: Readonly<Record<string, number>>
  /** Of the answers with 200 and 201, ascending: from the request to the end of its answer. */
  milliseconds: readonly number[]
}

export interface FloodOptions {
  /** Origin of the service. */
  url: string
  /** What the client with this number asks for, counted from 0. */
  path: (client: number) => string
  /** What is uploaded there; without it, the path is read. */
  upload?: Uint8Array
  token: string
  /** Connections, each of which makes one request after the other. */
  clients: number
  seconds: number
  /** How long a client waits that was refused: less than it was asked to. */
  pauseMilliseconds: number
}

/**
 * Makes the same request for some seconds on many connections. Not by `fetch`, which has 256 requests under way at most.
 *
 * @throws {Error} if the service closes a connection or its answer is not complete.
 */
export async function flood({ clients, seconds, ...options }: FloodOptions): Promise<Flooded> {
  const answers: Record<string, number> = {}
  const milliseconds: number[] = []
  const endsAt = performance.now() + seconds * 1000
  const client = async (_: unknown, number: number) => {
    const connection = await open(options, number)
    while (performance.now() < endsAt) {
      const askedAt = performance.now()
      const { status, headers } = await connection.ask()
      const retryAfter = headers.get('retry-after')
      const answer = retryAfter === null ? String(status) : `${status}, Retry-After: ${retryAfter}`
      answers[answer] = (answers[answer] ?? 0) + 1
      if (status < 300) milliseconds.push(performance.now() - askedAt)
      else await Bun.sleep(options.pauseMilliseconds)
    }
    connection.socket.destroy()
  }
  await Promise.all(Array.from({ length: clients }, client))
  return { answers, milliseconds: milliseconds.sort((a, b) => a - b) }
}

async function open(
  { url, path, upload, token }: Pick<FloodOptions, 'url' | 'path' | 'upload' | 'token'>,
  number: number,
) {
  const { hostname, port, host } = new URL(url)
  const length = upload ? `Content-Length: ${upload.byteLength}\r\n` : ''
  const line = `${upload ? 'PUT' : 'GET'} ${path(number)} HTTP/1.1\r\n`
  const head = `${line}Host: ${host}\r\nAuthorization: Bearer ${token}\r\n${length}\r\n`
  const request = Buffer.concat([Buffer.from(head), upload ?? new Uint8Array()])
  const socket: Socket = connect({ host: hostname, port: Number(port) })
  await once(socket, 'connect')
  let arrived = Buffer.alloc(0)
  let answered = Promise.withResolvers<NonNullable<ReturnType<typeof parseAnswer>>>()
  socket.on('data', (data: Buffer) => {
    arrived = Buffer.concat([arrived, data])
    const answer = parseAnswer(arrived, false)
    if (!answer?.complete) return
    arrived = arrived.subarray(answer.length)
    answered.resolve(answer)
  })
  socket.on('close', () => answered.reject(new Error(`closed after ${arrived.length} bytes of an answer`)))
  socket.on('error', (error) => answered.reject(error))
  return {
    socket,
    ask() {
      answered = Promise.withResolvers()
      socket.write(request)
      return answered.promise
    },
  }
}

/** Returns the value below which so many of the (ascending) numbers are, such as 0.99 of them. */
export function quantile(ascending: readonly number[], part: number): number {
  return ascending[Math.floor(ascending.length * part)] ?? Number.NaN
}
