import { limits } from '../limits.ts'

export interface RunningServer {
  /** Where it listens, with the port that it got. */
  url: string
  /** Takes no more connections, lets running transfers finish; `now` cuts them. */
  stop(now?: boolean): Promise<void>
}

/** Listens on `host`:`port` (0 for a free one) and hands every request to `answer`. */
export function listen(
  address: { host: string; port: number },
  answer: (request: Request, clientAddress: string | undefined) => Promise<Response>,
): RunningServer {
  const server = Bun.serve({
    hostname: address.host,
    port: address.port,
    // Bun's own refusal has no body and bypasses us: the edge refuses by the limit that is configured.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    // Bun counts the time a handler waits for the store as idle too: our own deadlines are below this.
    idleTimeout: limits.connectionIdleSecondsMax,
    fetch: (request, bun) => answer(request, bun.requestIP(request)?.address),
    // Only what fails outside of `answer` comes here, and then its message must not go out.
    error: () => new Response(null, { status: 500 }),
  })
  return {
    url: server.url.origin,
    stop: (now = false) => server.stop(now),
  }
}
