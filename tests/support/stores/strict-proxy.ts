import { once } from 'node:events'
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { StoreForTests } from './service-key.ts'
import {
  headBytes,
  type MessageHead,
  readHead,
  requestTarget,
  signedHeaders,
  withoutHeaders,
} from './strict-proxy-head.ts'

/** An answer in place of the store's. */
export interface CannedAnswer {
  status: number
  contentType: string
  body: string
  headers?: Record<string, string>
}

/** The behaviour of a store with other properties than the one behind it; nothing is changed by default. */
export interface StoreBehaviours {
  /** 403 for a signed request with any `x-amz-*` header that its signature does not cover, as Amazon S3 does. */
  refuseUnsignedAmzHeaders?: boolean
  /** Answers instead of the store; `null` lets the request through. */
  answer?: (request: { method: string; path: string; query: Record<string, string> }) => CannedAnswer | null
  /** Waited before each request is forwarded. */
  delayMilliseconds?: number
  /** Added to the `Date` of the answers. */
  clockSkewSeconds?: number
  /** Allows no web page: preflights get 403, and answers have no `Access-Control-*` (Fetch, CORS). */
  withoutCors?: boolean
  /** The rate at which request bodies pass, per connection; 0 holds them back. */
  requestBytesPerSecondMax?: number | undefined
}

/** Hetzner's answer to overload: a page of HTML instead of S3's XML. */
export const overloadPage: CannedAnswer = {
  status: 429,
  contentType: 'text/html',
  body: '<html><head><title>429 Too Many Requests</title></head><body>429 Too Many Requests</body></html>',
}

/**
 * Starts a store with other properties: a reverse proxy on 127.0.0.1 in front of `store`, in plain http. Everything that
 * `behaviours` do not mention passes unchanged, byte for byte and as it flows, in both directions, so signatures over
 * the proxy's own host are valid. `behaviours` may be changed while it runs.
 *
 * Each connection carries one request.
 *
 * @returns the store behind the proxy's endpoint. `stop` ends the proxy only; the rest is the store's own.
 */
export async function startStoreProxy<Store extends StoreForTests>(
  store: Store,
  behaviours: StoreBehaviours,
): Promise<Store & { stop(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (client) => {
    hold(client, sockets)
    relay(client, store, behaviours, sockets).catch(() => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${portOf(server)}`
  const proxied = { ...store, endpoint, stop: () => stop(server, sockets) }
  delete proxied.ca
  return proxied
}

async function relay(
  client: Socket,
  store: StoreForTests,
  behaviours: StoreBehaviours,
  sockets: Set<Socket>,
): Promise<void> {
  const request = await readHead(client)
  if (request === null) return void client.end()
  if (behaviours.delayMilliseconds !== undefined) await Bun.sleep(behaviours.delayMilliseconds)
  const instead = answerInstead(request, behaviours)
  if (instead !== null) return answerWith(client, instead)

  const upstream = connectTo(store)
  hold(upstream, sockets)
  upstream.on('close', () => client.end())
  client.on('close', () => upstream.destroy())
  upstream.write(headBytes(oneRequest(request)))
  const isPaced = 'requestBytesPerSecondMax' in behaviours
  const body = isPaced ? client.pipe(paced(() => behaviours.requestBytesPerSecondMax)) : client
  body.pipe(upstream)
  await relayAnswer(upstream, client, behaviours)
}

/** Returns the answer that is given instead of the store's, or `null` for the store's own. */
function answerInstead(request: MessageHead, behaviours: StoreBehaviours): CannedAnswer | null {
  const canned = behaviours.answer?.(requestTarget(request)) ?? null
  if (canned !== null) return canned
  if (behaviours.withoutCors && request.startLine.startsWith('OPTIONS ')) {
    return xmlError(403, 'AccessForbidden', 'CORS is not enabled for this bucket')
  }
  const signed = signedHeaders(request)
  if (behaviours.refuseUnsignedAmzHeaders && signed !== null && hasUnsignedAmzHeader(request, signed)) {
    return xmlError(403, 'AccessDenied', 'There were headers present in the request which were not signed')
  }
  return null
}

function hasUnsignedAmzHeader({ headers }: MessageHead, signed: readonly string[]): boolean {
  return headers.some(([name]) => /^x-amz-/i.test(name) && !signed.includes(name.toLowerCase()))
}

async function relayAnswer(upstream: Socket, client: Socket, behaviours: StoreBehaviours): Promise<void> {
  for (;;) {
    const answer = await readHead(upstream)
    if (answer === null) return void client.end()
    const interim = / 1\d\d(\s|$)/.test(answer.startLine)
    client.write(headBytes(interim ? answer : changed(oneRequest(answer), behaviours)))
    if (!interim) break
  }
  upstream.pipe(client)
}

/** RFC 9112 section 9.6: both sides end the connection after this exchange, so bodies need no counting here. */
function oneRequest(head: MessageHead): MessageHead {
  const kept = withoutHeaders(head, ['connection', 'keep-alive', 'proxy-connection'])
  return { ...kept, headers: [...kept.headers, ['Connection', 'close']] }
}

function changed(
  answer: MessageHead,
  { clockSkewSeconds = 0, withoutCors = false }: StoreBehaviours,
): MessageHead {
  const open = answer.headers.filter(([name]) => !(withoutCors && /^access-control-/i.test(name)))
  return skewed({ ...answer, headers: open }, clockSkewSeconds)
}

function skewed(answer: MessageHead, seconds: number): MessageHead {
  if (seconds === 0) return answer
  const headers = answer.headers.map(([name, value]): [string, string] =>
    name.toLowerCase() === 'date'
      ? [name, new Date(Date.parse(value) + seconds * 1000).toUTCString()]
      : [name, value],
  )
  return { ...answer, headers }
}

function answerWith(client: Socket, { status, contentType, body, headers = {} }: CannedAnswer): void {
  const length = String(Buffer.byteLength(body))
  const own = { 'Content-Type': contentType, 'Content-Length': length, Connection: 'close', ...headers }
  const date: [string, string] = ['Date', new Date().toUTCString()]
  const startLine = `HTTP/1.1 ${status} Canned`
  client.write(headBytes({ startLine, headers: [date, ...Object.entries(own)] }))
  client.end(body)
  // A body that is still on its way has to be read, or its reset would overtake the answer.
  client.resume()
}

function xmlError(status: number, code: string, message: string): CannedAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  return { status, contentType: 'application/xml', body }
}

function connectTo({ endpoint, ca }: StoreConnection): Socket {
  const { protocol, hostname, port } = new URL(endpoint)
  const to = { host: hostname, port: Number(port), allowHalfOpen: true }
  return protocol === 'https:' ? connectTls({ ...to, ca }) : connectTcp(to)
}

function hold(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => socket.destroy())
}

async function stop(server: Server, sockets: Set<Socket>): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  for (const socket of sockets) socket.destroy()
  await closed
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP')
  return address.port
}

const askMilliseconds = 20

/**
 * Forwards bytes no faster than `bytesPerSecondMax` says, and none at 0. The rate is looked up repeatedly, so that a test
 * that raises it need not wait for the rest at the old rate.
 */
function paced(bytesPerSecondMax: () => number | undefined): Transform {
  return new Transform({
    async transform(piece: Uint8Array, _encoding, passOn) {
      for (let passed = 0; passed < piece.length; ) {
        const pace = bytesPerSecondMax()
        if (pace === undefined) break
        await pause(askMilliseconds)
        passed += (pace * askMilliseconds) / 1000
      }
      passOn(null, piece)
    },
  })
}
