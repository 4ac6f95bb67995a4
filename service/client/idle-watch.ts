import type { TransferLimits } from './transfer-limits.ts'

/** Ends a transfer that stands still: a store that cannot be reached may never say so. */
export interface IdleWatch {
  /** Aborted when the caller's signal is, and when nothing moved for too long. */
  readonly signal: AbortSignal
  /** Whether it was this watch that aborted. */
  readonly stalled: boolean
  /** Something moved; `complete` when the peer has everything and may take its time to answer. */
  moved(complete: boolean): void
  /** Looks no longer whether something moves; the caller's signal still counts. */
  relax(): void
  /** Lets go of the caller's signal too. */
  stop(): void
}

export function watchIdle(
  limits: Pick<TransferLimits, 'storeIdleSecondsMax' | 'storeAnswerSecondsMax'>,
  signal: AbortSignal | undefined,
): IdleWatch {
  const controller = new AbortController()
  let stalled = false
  const stall = () => {
    stalled = true
    controller.abort()
  }
  const abort = () => controller.abort()
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  let timer = setTimeout(stall, limits.storeIdleSecondsMax * 1000)
  return {
    signal: controller.signal,
    get stalled() {
      return stalled
    },
    moved(complete) {
      clearTimeout(timer)
      const seconds = complete ? limits.storeAnswerSecondsMax : limits.storeIdleSecondsMax
      timer = setTimeout(stall, seconds * 1000)
    },
    relax: () => clearTimeout(timer),
    stop() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    },
  }
}
