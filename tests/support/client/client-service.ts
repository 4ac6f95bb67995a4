import { createServer, type Socket } from 'node:net'
import { createDocumentsClient } from '../../../service/client/client.ts'
import type { ConnectionOptions } from '../../../service/client/transport.ts'
import { registerSecret } from '../secrets.ts'
import { digestOf, reprDigestOf } from '../service/sample-documents.ts'

/** Made per run: a token of the right form that no test server checks. */
export const testToken = `test.${crypto.randomUUID()}`
registerSecret(testToken)

export const documents = '/v1/tenants/acme/documents'

/** A server on a free port that answers as the test says. Dispose it (`using`). */
export function serve(answer: (request: Request, url: URL) => Response | Promise<Response>) {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    maxRequestBodySize: 4 * 1024 ** 3,
    fetch: (request) => answer(request, new URL(request.url)),
  })
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) }
}

/**
 * A server that writes exactly these bytes to every connection, or what it is given for the head of the request, and
 * then closes it: for what Bun would not send.
 */
export async function serveRaw(answer: string | Uint8Array | ((head: string) => string | Uint8Array)) {
  const open = new Set<Socket>()
  let ended = 0
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('finish', () => {
      ended += 1
    })
    socket.on('error', () => undefined)
    socket.once('data', (head) => {
      socket.write(typeof answer === 'function' ? answer(head.toString('latin1')) : answer)
      // Bun drops bytes that it has not passed on yet when the connection breaks.
      setTimeout(() => socket.end(), 20)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const stop = () => {
    for (const socket of open) socket.destroy()
    server.close()
  }
  return { url: `http://127.0.0.1:${address.port}`, ended: () => ended, [Symbol.dispose]: stop }
}

/**
 * A server whose answers to a GET of a version each end after `partBytes` bytes of it, without the end of the message.
 * It keeps the `Range` of each request.
 */
export async function serveInPieces(bytes: Uint8Array, partBytes: number) {
  const ranges: (string | null)[] = []
  const etag = `"${digestOf(bytes)}"`
  const server = await serveRaw((head) => {
    const asked = /^range: bytes=(\d+)-(\d+)\r$/im.exec(head)
    ranges.push(asked ? `${asked[1]}-${asked[2]}` : null)
    // RFC 9110 section 13.1.5.
    const ifRange = /^if-range: (.*)\r$/im.exec(head)?.[1] ?? etag
    const range = ifRange === etag ? asked : null
    const [first, last] = [Number(range?.[1] ?? 0), Number(range?.[2] ?? bytes.length - 1)]
    const content = range ? `content-range: bytes ${first}-${last}/${bytes.length}\r\n` : ''
    const piece = bytes.subarray(first, Math.min(first + partBytes, last + 1))
    // A chunk without bytes would be the last one.
    const chunk = `${piece.length.toString(16)}\r\n${Buffer.from(piece).toString('latin1')}\r\n`
    const body = piece.length > 0 ? chunk : ''
    const status = range ? '206 Partial Content' : '200 OK'
    return Buffer.from(
      `HTTP/1.1 ${status}\r\netag: ${etag}\r\ndocument-size: ${bytes.length}\r\n${content}transfer-encoding: chunked\r\n\r\n${body}`,
      'latin1',
    )
  })
  return { ...server, ranges }
}

/** Returns a client of the server at `url`, for tenant `acme` with {@link testToken}. */
export function clientOf(url: string, options: Partial<ConnectionOptions> = {}) {
  return createDocumentsClient({ url, token: testToken, tenant: 'acme', ...options })
}

/** Returns the text in UTF-8. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/** The answer of a PUT that stored `bytes` as `definitions/orders.json`. */
export function documentOf(bytes: Uint8Array) {
  return {
    tenant: 'acme',
    type: 'definitions',
    name: 'orders.json',
    digest: digestOf(bytes),
    size: bytes.length,
    contentType: 'application/json',
    createdAt: '2026-11-23T10:00:00.000Z',
    createdBy: 'ada',
    tags: ['latest'],
  }
}

/** The answer of a GET of a whole version. */
export function versionAnswer(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Response {
  return new Response(bytes, {
    headers: {
      'content-type': 'application/json',
      etag: `"${digestOf(bytes)}"`,
      'repr-digest': reprDigestOf(bytes),
      'document-size': `${bytes.length}`,
      ...headers,
    },
  })
}

export function problemAnswer(
  status: number,
  members: Record<string, unknown>,
  headers: Record<string, string> = {},
) {
  return new Response(JSON.stringify({ type: 'about:blank', status, ...members }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })
}

/** Everything a reader got before the stream ended, and what it ended with. */
export async function readAll(stream: ReadableStream<Uint8Array>): Promise<{ text: string; error: unknown }> {
  const decoder = new TextDecoder()
  const reader = stream.getReader()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { text, error: null }
      text += decoder.decode(value, { stream: true })
    }
  } catch (error) {
    return { text, error }
  }
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}
