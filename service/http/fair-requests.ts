import { createFairShares } from '../fair-shares.ts'
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
}

export interface FairRequestsOptions {
  /** Calls under way at once, uploads not counted. */
  requestsMax: number
  /** What bodies of uploads under way may take in all, a multiple of `uploadBytesMin`; default: that of `limits.ts`. */
  uploadsBytesMax?: number | undefined
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
  const { waitSecondsMax = limits.requestWaitSecondsMax } = options
  const calls = createLine(requestsMax, waitSecondsMax)
  const uploads = createLine(uploadsBytesMax / limits.uploadBytesMin, waitSecondsMax)

  return {
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
  /** When it began to be never empty, by the clock of `performance`. */
  standingSince: number
}

function createLine(permitsMax: number, burstSecondsMax: number) {
  const shares = createFairShares({ permitsMax, leavesRoom: true })
  /** Of tenants that wait. */
  const lines = new Map<string, Line>()

  /**
   * A burst is worth a wait, since it ends. A line that does not become empty only makes everyone in it late, so who
   * joins it is refused soon ("Fail at Scale", ACM Queue 13/8, "Controlled Delay"). What weighs more is refused at once:
   * it takes its memory while it waits.
   */
  function patience(permits: number, { waiting, standingSince }: Line): number {
    if (permits > 1) return 0
    const isBurst = performance.now() - standingSince < limits.requestBurstMilliseconds
    if (isBurst) return waiting < limits.requestsWaitingMax ? burstSecondsMax : 0
    return waiting < limits.requestsStandingMax ? limits.requestStandingWaitSecondsMax : 0
  }

  return {
    async begin(permits: number, { tenant, signal }: { tenant: string; signal: AbortSignal }) {
      const line = lines.get(tenant) ?? { waiting: 0, standingSince: performance.now() }
      const waitSecondsMax = patience(permits, line)
      lines.set(tenant, line)
      line.waiting += 1
      try {
        const share = await shares.acquire(Math.min(permits, permitsMax), { tenant, waitSecondsMax, signal })
        if (!share) throw refused(shares.exceedsShare(tenant, permits))
        return share.release
      } finally {
        line.waiting -= 1
        if (line.waiting === 0) lines.delete(tenant)
      }
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
