import { DocumentError } from './document-error.ts'

/** How slow the sender of a body may be. Only the time counts in which it was waited for. */
export interface PaceLimits {
  /** How long it may send nothing. */
  idleSecondsMax: number
  /** It must send `bytesPerSecondMin` on average in each period of so many seconds. */
  periodSeconds: number
  bytesPerSecondMin: number
  /** How long the whole body may take. */
  secondsMax: number
}

/** Follows how fast the sender of one body is. */
export interface SenderPace {
  /** The service waits for bytes from now on. */
  waiting(): void
  /** It has received so many, or the end. */
  received(bytes: number): void
  /** Returns why the body is to be given up, or `null`; to be called about once a second. */
  fault(): DocumentError | null
  /** Bytes per second when `fault` was last called, over the second before it; `Infinity` if it was not waited for. */
  readonly recent: number
}

/** @param now milliseconds of a clock that never jumps */
export function createSenderPace(limits: PaceLimits, now = () => performance.now()): SenderPace {
  const { idleSecondsMax, periodSeconds, bytesPerSecondMin, secondsMax } = limits
  const openedAt = now()
  let pendingReads = 0
  let waitingSince = 0
  let waitedMs = 0
  let silentSince = 0
  let bytes = 0
  let recent = Number.POSITIVE_INFINITY
  let last = { bytes: 0, waitedMs: 0 }
  let period = { bytes: 0, waitedMs: 0 }

  const waited = () => waitedMs + (pendingReads > 0 ? now() - waitingSince : 0)
  const secondsSince = (mark: { waitedMs: number }) => (waited() - mark.waitedMs) / 1000
  const rateSince = (mark: { bytes: number; waitedMs: number }) => (bytes - mark.bytes) / secondsSince(mark)
  const mark = () => ({ bytes, waitedMs: waited() })

  /** The second that counts began with the last call; a shorter wait says nothing about the sender. */
  function look(): void {
    recent = secondsSince(last) > 0.1 ? rateSince(last) : Number.POSITIVE_INFINITY
    last = mark()
  }

  return {
    get recent() {
      return recent
    },

    waiting() {
      if (pendingReads === 0) waitingSince = silentSince = now()
      pendingReads += 1
    },

    received(count) {
      waitedMs = waited()
      waitingSince = silentSince = now()
      pendingReads -= 1
      bytes += count
    },

    fault() {
      look()
      if (now() - openedAt >= secondsMax * 1000) return tookTooLong(secondsMax)
      if (pendingReads > 0 && now() - silentSince >= idleSecondsMax * 1000) return idle(idleSecondsMax)
      if (secondsSince(period) < periodSeconds) return null
      if (rateSince(period) < bytesPerSecondMin) return tooSlow(bytesPerSecondMin)
      period = mark()
      return null
    },
  }
}

function idle(seconds: number): DocumentError {
  return new DocumentError(
    'body_incomplete',
    `Nothing was received for ${seconds} seconds. Send the document again.`,
  )
}

function tooSlow(bytesPerSecond: number): DocumentError {
  return new DocumentError(
    'body_incomplete',
    `Fewer than ${bytesPerSecond} bytes per second were received. Send the document again over a faster connection.`,
  )
}

function tookTooLong(seconds: number): DocumentError {
  return new DocumentError(
    'body_incomplete',
    `The document was not complete after ${seconds} seconds. Send it again over a faster connection.`,
  )
}
