import type { AnyElysia } from 'elysia'

/**
 * Answers whose body is the store's own stream: the runtime passes it on natively, so nothing here sees a chunk, a
 * failure or the end of it. The connection to the store that such a body holds is freed all the same.
 *
 * Decision: the runtime knows the peer of a request until its answer has ended, however it does
 * (`tests/unit/service/http/passed-on.test.ts`), and is asked for it every few milliseconds. Revisit when Bun tells when a
 * response has been sent.
 */
const ends = new WeakMap<Response, () => void>()
const lookMilliseconds = 5

/** Notes what is to be called when the body of this answer is over. */
export function notePassedOn(response: Response, end: () => void): void {
  ends.set(response, end)
}

/** Frees what an answer holds that is not sent. */
export function discardAnswer(response: Response): void {
  response.body?.cancel().catch(() => {})
  ends.get(response)?.()
}

/** Returns a function that watches an answer until it has ended, if it was noted. */
export function watchPassedOn(): (app: AnyElysia, request: Request, response: Response) => void {
  const watched = new Map<Request, { app: AnyElysia; end: () => void }>()
  let looking: ReturnType<typeof setInterval> | undefined

  function look(): void {
    for (const [request, { app, end }] of watched) {
      if (app.server?.requestIP(request)) continue
      watched.delete(request)
      end()
    }
    if (watched.size > 0) return
    clearInterval(looking)
    looking = undefined
  }

  return (app, request, response) => {
    const end = ends.get(response)
    if (!end) return
    watched.set(request, { app, end })
    looking ??= setInterval(look, lookMilliseconds)
  }
}
