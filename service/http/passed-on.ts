import type { AnyElysia } from 'elysia'
import type { OpenVersion } from '../documents/documents.ts'

type PassedOn = NonNullable<OpenVersion['passedOn']>

/**
 * Answers whose body is the store's own stream: the runtime passes it on natively, so nothing here sees a chunk, a
 * failure or the end of it. The connection to the store that such a body holds is freed all the same.
 *
 * Decision: the runtime knows the peer of a request until its answer has ended, however it does
 * (`tests/unit/service/http/passed-on.test.ts`), and is asked for it every few milliseconds. Revisit when Bun tells when a
 * response has been sent.
 */
const noted = new WeakMap<Response, PassedOn>()
const lookMilliseconds = 5
/** Bun counts idle time in steps of four seconds, and the first may end at once, whatever moves (measured). */
const idleSecondsMin = 8

/** Notes that the body of this answer is passed on. */
export function notePassedOn(response: Response, passedOn: PassedOn): void {
  noted.set(response, passedOn)
}

/** Frees what an answer holds that is not sent. */
export function discardAnswer(response: Response): void {
  response.body?.cancel().catch(() => {})
  noted.get(response)?.end('abandoned')
}

/** Returns a function that watches an answer of the app until it has ended, if it was noted, and ends it if it stalls. */
export function watchPassedOn(app: AnyElysia): (request: Request, response: Response) => void {
  const watched = new Map<Request, PassedOn>()
  let looking: ReturnType<typeof setInterval> | undefined

  function look(): void {
    for (const [request, passedOn] of watched) {
      if (app.server?.requestIP(request)) continue
      watched.delete(request)
      passedOn.end()
    }
    if (watched.size > 0) return
    clearInterval(looking)
    looking = undefined
  }

  return (request, response) => {
    const passedOn = noted.get(response)
    if (!passedOn) return
    // For this answer alone: the next one on its connection has that of the server again.
    app.server?.timeout(request, Math.max(passedOn.idleSecondsMax, idleSecondsMin))
    watched.set(request, passedOn)
    looking ??= setInterval(look, lookMilliseconds)
  }
}
