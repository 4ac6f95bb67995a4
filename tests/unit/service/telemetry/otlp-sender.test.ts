import { afterEach, describe, expect, it } from 'bun:test'
import { createServer, type Server, type Socket } from 'node:net'
import { createOtlpSender, type OtlpDestination } from '../../../../service/telemetry/otlp-sender.ts'
import { Secret } from '../../../../service/telemetry/secret.ts'

const body = new TextEncoder().encode('{"resourceSpans":[]}')

/** What the backend does with the n-th request on a socket of its own making, beginning with 1. */
type Answer = (socket: Socket, request: string, count: number) => void

let server: Server
let sockets: Set<Socket>
let requests: string[]

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

async function backend(answer: Answer): Promise<string> {
  requests = []
  sockets = new Set()
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      if (!text.startsWith('POST')) return
      requests.push(text)
      answer(socket, text, requests.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return `http://127.0.0.1:${address.port}/v1/traces`
}

function sender(url: string, changes: Partial<OtlpDestination> = {}) {
  return createOtlpSender({ url, headers: {}, protocol: 'http/json', timeoutMilliseconds: 300, ...changes })
}

function status(line: string, headers = '', text = ''): string {
  return `HTTP/1.1 ${line}\r\n${headers}Content-Length: ${text.length}\r\n\r\n${text}`
}

describe('an export', () => {
  it('is a POST with its headers, and the answer comes back', async () => {
    const url = await backend((socket) => socket.write(status('200 OK', '', '{}')))
    const headers = {
      authorization: new Secret('Bearer of-the-backend'),
      'x-scope-orgid': new Secret('acme'),
    }
    const sent = await sender(url, { headers })(body)
    expect(sent).toEqual({ taken: true, answer: new TextEncoder().encode('{}') as never })
    const [request = ''] = requests
    expect(request).toStartWith('POST /v1/traces HTTP/1.1\r\n')
    expect(request.toLowerCase()).toContain('content-type: application/json\r\n')
    expect(request).toContain('Bearer of-the-backend')
    expect(request.toLowerCase()).toContain('x-scope-orgid: acme\r\n')
    expect(request).toEndWith('{"resourceSpans":[]}')
  })

  it('says that it is protobuf where it is', async () => {
    const url = await backend((socket) => socket.write(status('200 OK')))
    await sender(url, { protocol: 'http/protobuf' })(body)
    expect(requests[0]?.toLowerCase()).toContain('content-type: application/x-protobuf\r\n')
  })

  it('is repeated where the backend says that it may be, and where it broke off', async () => {
    const url = await backend((socket, _request, count) => {
      if (count === 1) socket.write(status('503 Busy'))
      else if (count === 2) socket.destroy()
      else socket.write(status('200 OK'))
    })
    expect(await sender(url, { timeoutMilliseconds: 20_000 })(body)).toMatchObject({ taken: true })
    expect(requests).toHaveLength(3)
  }, 30_000)

  it('is not repeated where the backend refuses it', async () => {
    const url = await backend((socket) => socket.write(status('400 Bad Request', '', 'no')))
    expect(await sender(url, { timeoutMilliseconds: 20_000 })(body)).toMatchObject({
      taken: false,
      why: 'status 400',
    })
    expect(requests).toHaveLength(1)
  })

  it('does not follow a redirect, which would take credentials elsewhere', async () => {
    const url = await backend((socket) => socket.write(status('307 Go', 'Location: http://127.0.0.1:1/\r\n')))
    expect(await sender(url)(body)).toMatchObject({ taken: false, why: 'status 307' })
  })

  it('does not begin a try that would exceed its time', async () => {
    const url = await backend((socket) => socket.write(status('503 Busy', 'Retry-After: 3600\r\n')))
    expect(await sender(url)(body)).toMatchObject({ taken: false, why: 'status 503' })
    expect(requests).toHaveLength(1)
  })
})

describe('an export that fails', () => {
  it('ends with a code where no server listens', async () => {
    // Time for several tries: in a short one the last try may be cut off, which is a time-out.
    const send = sender('http://127.0.0.1:1/v1/traces', { timeoutMilliseconds: 3000 })
    expect(await send(body)).toMatchObject({ taken: false, why: 'ECONNREFUSED' })
  })

  it('ends with a time-out where the backend never answers', async () => {
    const url = await backend(() => {})
    expect(await sender(url)(body)).toMatchObject({ taken: false, why: 'timeout' })
  })

  it('ends with a time-out where the backend trickles the head of its answer indefinitely', async () => {
    const url = await backend((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket.write('X: y\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await sender(url)(body)).toMatchObject({ taken: false, why: 'timeout' })
  })

  it('ends with a time-out where the backend trickles the body of its answer indefinitely', async () => {
    const url = await backend((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      const timer = setInterval(() => socket.write('1\r\nx\r\n'), 20)
      socket.on('close', () => clearInterval(timer))
    })
    expect(await sender(url)(body)).toMatchObject({ taken: false, why: 'timeout' })
  })

  it('ends with a code where the answer is not HTTP', async () => {
    const url = await backend((socket) => socket.end('what?\r\n\r\n'))
    expect(await sender(url)(body)).toMatchObject({
      taken: false,
      why: expect.stringMatching(/^[A-Za-z_]+$/),
    })
  })

  it('counts as taken where the answer is long, and keeps nothing of it', async () => {
    const long = 'x'.repeat(1024 * 1024)
    const url = await backend((socket) => socket.write(status('200 OK', '', long)))
    expect(await sender(url, { timeoutMilliseconds: 5000 })(body)).toEqual({
      taken: true,
      answer: new Uint8Array(),
    })
  })
})
