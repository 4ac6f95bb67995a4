import { useEffect, useLayoutEffect } from 'react'

/** The place in a view to return to with Back. */
interface Place {
  scrollTop: number
  /** `id` of what had the focus. */
  focused: string
}

const places = new Map<string, Place>()

/** Names one entry of the history: the same address can be in it twice. Browsers before 2026 give them no names. */
function entryKey(): string | undefined {
  return (globalThis as { navigation?: { currentEntry?: { key?: string } } }).navigation?.currentEntry?.key
}

/**
 * Shows every new view from its top, and a view that is returned to at the place where it was left.
 *
 * @param path of the view; what follows `?` is the same view
 */
export function useScrollMemory(path: string): void {
  useEffect(() => {
    history.scrollRestoration = 'manual'
    const remember = () => {
      const key = entryKey()
      if (key === undefined) return
      places.set(key, { scrollTop: scrollY, focused: document.activeElement?.id ?? '' })
    }
    // While the entry is still the current one: later, its key would be that of the next.
    addEventListener('scrollend', remember)
    addEventListener('click', remember, { capture: true })
    addEventListener('focusin', remember)
    return () => {
      removeEventListener('scrollend', remember)
      removeEventListener('click', remember, { capture: true })
      removeEventListener('focusin', remember)
    }
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new path is what it is about
  useLayoutEffect(() => {
    const place = places.get(entryKey() ?? '')
    scrollTo(0, place?.scrollTop ?? 0)
    if (!place?.focused) return
    // After the heading took the focus, and after the rows in sight were made.
    const frame = requestAnimationFrame(() =>
      requestAnimationFrame(() => document.getElementById(place.focused)?.focus({ preventScroll: true })),
    )
    return () => cancelAnimationFrame(frame)
  }, [path])
}
