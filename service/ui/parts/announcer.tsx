import { useSyncExternalStore } from 'react'

/** The latest sentence for screen readers about what has just happened. */
let sentence = ''
const listeners = new Set<() => void>()

/** Has screen readers read a sentence, also if it is the same as before. */
export function announce(text: string): void {
  // The same sentence again would be no change, and not be read.
  sentence = text === sentence ? `${text}\u00a0` : text
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Where announcements are read from; there is one in the page. */
export function Announcer() {
  const text = useSyncExternalStore(subscribe, () => sentence)
  return (
    <div className="visually-hidden" aria-live="polite" aria-atomic="true">
      {text}
    </div>
  )
}
