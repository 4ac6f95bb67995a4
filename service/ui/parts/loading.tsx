/** Shown after a moment only, so that what is quick does not flicker (see `loading` in the style sheet). */
export function Loading({ what = 'Loading…' }: { what?: string }) {
  return (
    <p role="status" className="loading">
      <span className="spinner" aria-hidden="true" />
      {what}
    </p>
  )
}
