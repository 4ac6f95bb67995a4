import { limits } from '../../limits.ts'

/** Finds out how many calls at once the store takes. */
export interface Pace {
  /** Receives every call that the store has answered. */
  succeeded(): void
  /** Receives every call that the store has turned away because there are too many of them. */
  slowedDown(): void
}

/**
 * Additive increase, multiplicative decrease, as TCP does it (RFC 5681 section 3.1): the number of calls that may be
 * under way at once is halved when the store asks for less, and grows by one for each four rounds of calls that it answers.
 * Those that were under way together are turned away together, so they count once.
 *
 * @param callsMax that may be under way at once, where the store takes them all.
 * @param onChange receives the share of `callsMax` that may be under way from now on, above 0 and up to 1.
 * @param now in milliseconds.
 */
export function createPace(
  callsMax: number,
  onChange: (share: number) => void,
  now: () => number = () => performance.now(),
): Pace {
  let calls = callsMax
  let slowedAt = Number.NEGATIVE_INFINITY

  function change(next: number): void {
    const isVisible = Math.floor(next) !== Math.floor(calls)
    calls = next
    if (isVisible) onChange(Math.floor(calls) / callsMax)
  }

  return {
    succeeded() {
      if (calls < callsMax) change(Math.min(calls + 1 / (4 * calls), callsMax))
    },
    slowedDown() {
      if (now() - slowedAt < limits.storeSlowDownSeconds * 1000) return
      slowedAt = now()
      change(Math.max(calls / 2, 1))
    },
  }
}
