import type { PhaseProgress } from './worker-messages.ts'

/** Ten times a second is as often as people can see. */
const intervalMs = 100

/**
 * Tells the latest progress at most every `intervalMs`. The beginning of a phase and its end are told at once, so
 * that no bar stands at 97 % for ever.
 */
export function throttled(tell: (progress: PhaseProgress) => void): {
  tell: (progress: PhaseProgress) => void
  /** Nothing is told any more. */
  stop: () => void
} {
  let phase: string | null = null
  let latest: PhaseProgress | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    timer = undefined
    if (latest !== null) tell(latest)
    latest = null
  }
  return {
    tell(progress) {
      latest = progress
      const begins = progress.phase !== phase
      phase = progress.phase
      if (begins || progress.bytes === progress.totalBytes) {
        clearTimeout(timer)
        return flush()
      }
      timer ??= setTimeout(flush, intervalMs)
    },
    stop() {
      clearTimeout(timer)
      latest = null
    },
  }
}
