import { useState } from 'react'

/** What a button asks for while it is under way, and what the last try has failed with: `null` if it has not. */
export function useAttempt() {
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)

  /** Carries it out. A failure is kept until the next try. */
  async function attempt(work: () => Promise<void>, onFailure?: (reason: unknown) => void): Promise<void> {
    setBusy(true)
    setError(null)
    try {
      await work()
    } catch (reason) {
      setError(reason)
      onFailure?.(reason)
    }
    setBusy(false)
  }
  return { error, busy, attempt }
}
