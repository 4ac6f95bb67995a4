import { useEffect, useState } from 'react'

/** By then a person wonders whether anything happens. */
const slowAfterMs = 5_000

/** Shown after a moment only, so that what is quick does not flicker (see `loading` in the style sheet). */
export function Loading({ what = 'Loading…' }: { what?: string }) {
  const [isSlow, setSlow] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), slowAfterMs)
    return () => clearTimeout(timer)
  }, [])
  return (
    <p role="status" className="loading">
      <span className="spinner" aria-hidden="true" />
      {what}
      {isSlow && ' The service or its object store is slow to answer.'}
    </p>
  )
}
