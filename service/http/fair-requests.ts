import { setTimeout as delay } from 'node:timers/promises'
import { createFairShares, type Share } from '../fair-shares.ts'
import { limits } from '../limits.ts'
import { contentLength } from './headers/content-length.ts'
import { ProblemError } from './problem.ts'
import type { Route } from './route.ts'

/** Requests under way, which the tenants of this process share. */
export interface FairRequests {
  /**
   * Lets a request begin, after a short wait if its tenant sends a burst.
   *
   * @returns the function that ends it; its answer may still be sent then.
   * @throws {ProblemError} `too_many_requests` if its tenant has more under way than its share, and `busy` if all tenants
   *   together have as many as there may be; the signal's reason if the client disconnects.
   */
  begin(route: Route, arrival: FairArrival): Promise<() => void>
  /**
   * Lets a request wait for what may happen, outside of the requests under way: it costs next to nothing meanwhile.
   *
   * @returns the function that ends it.
   * @throws {ProblemError} as `begin`, at once
   */
  wait(arrival: FairArrival): Promise<() => void>
}

export interface FairRequestsOptions {
  /** Calls under way at once, uploads not counted. */
  requestsMax: number
  /** What bodies of uploads under way may take in all, a multiple of `uploadBytesMin`; default: that of `limits.ts`. */
  uploadsBytesMax?: number | undefined
  /** Requests that may wait at once for what may happen; default: that of `limits.ts`. */
  watchesMax?: number | undefined
  /** How long a burst waits; default: that of `limits.ts`. */
  waitSecondsMax?: number | undefined
}

export interface FairArrival {
  request: Request
  /** One of the caller's own. */
  tenant: string
}

/**
 * Returns the requests that may be under way at once.
 *
 * Decision: calls and uploads are counted apart, since an upload takes as long as its client likes. Those of one tenant
 * leave as much room as they take, so there is always some for others, however long they last.
 */
export function createFairRequests(options: FairRequestsOptions): FairRequests {
  const { requestsMax, uploadsBytesMax = limits.uploadsBytesMax } = options
  const { waitSecondsMax = limits.requestWaitSecondsMax, watchesMax = limits.watchesMax } = options
  const calls = createLine(requestsMax, { burstSecondsMax: waitSecondsMax, holdsRefusals: true })
  // Their unread bodies take memory as long as they are here.
  const uploads = createLine(uploadsBytesMax / limits.uploadBytesMin, {
    burstSecondsMax: waitSecondsMax,
    holdsRefusals: false,
  })

  const watches = createFairShares({ permitsMax: watchesMax, leavesRoom: true })

  return {
    async wait({ request, tenant }) {
      const share = await watches.acquire(1, { tenant, waitSecondsMax: 0, signal: request.signal })
      if (!share) throw refused(watches.exceedsShare(tenant, 1))
      return share.release
    },

    begin(route, { request, tenant }) {
      const { signal } = request
      if (route.body === 'document') return uploads.begin(weightOf(request), { tenant, signal })
      return (route.isLong ? uploads : calls).begin(1, { tenant, signal })
    },
  }
}

/** What the runtime may hold of a body before it is read, as a number of the smallest bodies. */
function weightOf(request: Request): number {
  const held = Math.min(contentLength(request) ?? limits.unreadBodyBytesMax, limits.unreadBodyBytesMax)
  return Math.max(1, Math.ceil(held / limits.uploadBytesMin))
}

/** What a tenant waits for. */
interface Line {
  waiting: number
  /** When it began to be never empty for longer than `limits.requestCalmMilliseconds`, by the clock of `performance`. */
  standingSince: number
  /** Ends its being known, once it is empty. */
  calm?: ReturnType<typeof setTimeout>
}

function createLine(permitsMax: number, options: { burstSecondsMax: number; holdsRefusals: boolean }) {
  const shares = createFairShares({ permitsMax, leavesRoom: true })
  /** Of tenants that wait, and of those that were refused a moment ago. */
  const lines = new Map<string, Line>()
  let held = 0

  const isBurst = ({ standingSince }: Line) =>
    performance.now() - standingSince < limits.requestBurstMilliseconds

  /**
   * A burst is worth a wait, since it ends. A line that does not become empty only makes everyone in it late, so who
   * joins it is refused soon ("Fail at Scale", ACM Queue 13/8, "Controlled Delay"). What weighs more is refused at once:
   * it takes its memory while it waits.
   */
  function patience(permits: number, line: Line): number {
    if (permits > 1) return 0
    if (isBurst(line)) return line.waiting < limits.requestsWaitingMax ? options.burstSecondsMax : 0
    return line.waiting < limits.requestsStandingMax ? limits.requestStandingWaitSecondsMax : 0
  }

  /**
   * A line that was a burst is forgotten once it is empty. One that stood is not for a while: it is empty now and then
   * because most are refused, and each time another burst would be let in, to wait for long.
   */
  function leave(tenant: string, line: Line): void {
    line.waiting -= 1
    if (line.waiting > 0) return
    if (isBurst(line)) return void lines.delete(tenant)
    clearTimeout(line.calm)
    line.calm = setTimeout(() => line.waiting === 0 && lines.delete(tenant), limits.requestCalmMilliseconds)
    line.calm.unref()
  }

  /**
   * Clients that come back before they were asked to would make the process do little but refuse them, and every step
   * of an accepted request wait for a round of refusals: the answer is what makes them wait.
   */
  async function hold(signal: AbortSignal): Promise<void> {
    if (held >= limits.refusalsHeldMax) return
    held += 1
    try {
      await delay(limits.refusalHeldSeconds * 1000, undefined, { signal })
    } catch {
      signal.throwIfAborted()
    } finally {
      held -= 1
    }
  }

  return {
    async begin(permits: number, { tenant, signal }: { tenant: string; signal: AbortSignal }) {
      const line: Line = lines.get(tenant) ?? { waiting: 0, standingSince: performance.now() }
      const waitSecondsMax = patience(permits, line)
      const isHeld = options.holdsRefusals && !isBurst(line)
      lines.set(tenant, line)
      line.waiting += 1
      let share: Share | null
      try {
        share = await shares.acquire(Math.min(permits, permitsMax), { tenant, waitSecondsMax, signal })
      } finally {
        leave(tenant, line)
      }
      if (share) return share.release
      const refusal = refused(shares.exceedsShare(tenant, permits))
      if (isHeld) await hold(signal)
      throw refusal
    },
  }
}

function refused(isOverShare: boolean): ProblemError {
  const headers = { 'retry-after': String(limits.requestRetrySeconds) }
  if (isOverShare) {
    const detail = 'This tenant has too many requests under way. Wait for some of them, then try again.'
    return new ProblemError('too_many_requests', detail, { headers })
  }
  return new ProblemError('busy', 'Too many requests are under way. Try again later.', { headers })
}
