import { limits } from '../limits.ts'

export interface RunningServer {
  /** Where it listens, with the port that it got. */
  url: string
  /** Takes no more connections, lets running transfers finish; `now` cuts them. */
  stop(now?: boolean): Promise<void>
}

/** What answers the requests of a server: an app of Elysia, or as much of one. */
export interface Served {
  fetch(request: Request): Response | Promise<Response>
  /** The server that the requests come from, which knows the addresses of the clients. */
  server?: Bun.Server<unknown> | null
}

/**
 * Listens on `host`:`port` (0 for a free one) and hands every request to `served`. Not by `listen` of Elysia 1.4,
 * which shares the port with other processes (`reusePort`), has routes of Bun's own beside its routes, and reloads
 * the server once it runs.
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
