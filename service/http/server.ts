import { limits } from '../limits.ts'

export interface RunningServer {
  /** Where it listens, with the port that it got. */
  url: string
  /** Takes no more connections, lets running transfers finish; `now` cuts them. */
  stop(now?: boolean): Promise<void>
}

/** Answers the requests of a server: an app of Elysia, or as much of one. */
export interface Served {
  fetch(request: Request): Response | Promise<Response>
  /** Set by {@link listen}: the server knows the addresses of the clients. */
  server?: Bun.Server<unknown> | null
}

/**
 * Listens on `host`:`port` (0 for a free one) and hands every request to `served`. Not by `listen` of Elysia 1.4,
 * which shares the port with other processes (`reusePort`), adds Bun's own routes, and reloads the running server.
 */
export function listen(address: { host: string; port: number }, served: Served): RunningServer {
  const server = Bun.serve({
    hostname: address.host,
    port: address.port,
    // Bun's own refusal has no body and bypasses us: the edge refuses by the limit that is configured.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Bun counts the time a handler waits for the store as idle too: our own deadlines are below this.
    idleTimeout: limits.connectionIdleSecondsMax,
    fetch: (request) => served.fetch(request),
    // Only what fails outside of the app comes here, and then its message must not go out.
    error: () => new Response(null, { status: 500 }),
  })
  served.server = server
  return {
    url: server.url.origin,
    stop: (now = false) => server.stop(now),
  }
}

/** Metrics as text, written when they are asked for. */
export interface Exposition {
  contentType: string
  exposition(): Promise<string>
}

/**
 * Serves `/metrics` on a listener of its own, so that the network can let clients through to the API alone. Every
 * other address is 404, every other method 405, both without a body.
 */
export function listenForMetrics(
  address: { host: string; port: number },
  metrics: Exposition,
): RunningServer {
  async function answer(request: Request): Promise<Response> {
    if (new URL(request.url, 'http://localhost').pathname !== '/metrics') return codeOnly(404)
    if (!['GET', 'HEAD'].includes(request.method)) return codeOnly(405, { allow: 'GET, HEAD' })
    const headers = { 'content-type': metrics.contentType, 'cache-control': 'no-store' }
    const text = await metrics.exposition()
    if (request.method === 'GET') return new Response(text, { headers })
    return new Response(null, { headers: { ...headers, 'content-length': String(Buffer.byteLength(text)) } })
  }
  return listen(address, { fetch: answer })
}

function codeOnly(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers: { ...headers, 'cache-control': 'no-store' } })
}
