import { type RefObject, useLayoutEffect, useState } from 'react'

/** Rows by their place, the last one not included. */
export interface RowsInSight {
  first: number
  end: number
}

/** Rows above and below those in sight, so that scrolling shows no gaps, and the step in which the rows change. */
const around = 16
const step = 8

/**
 * Which rows of a long list are in sight of the window and are to be in the page. All rows are equally high, so that
 * nothing has to be measured, and the page has a bounded number of them however long the list is.
 *
 * @param body holds the rows, with the height of all of them
 */
export function useRowsInSight(
  body: RefObject<HTMLElement | null>,
  count: number,
  rowPixels: number,
): RowsInSight {
  const [seen, setSeen] = useState<RowsInSight>({ first: 0, end: around * 3 })
  useLayoutEffect(() => {
    const look = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0
      const next = rowsInSight(-top, innerHeight, rowPixels)
      setSeen((before) => (before.first === next.first && before.end === next.end ? before : next))
    }
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [body, rowPixels])
  // A list that became shorter may end before what was in sight.
  const end = Math.min(seen.end, count)
  return { first: Math.min(seen.first, Math.max(end - around * 3, 0)), end }
}

/**
 * @param scrolledPixels how much of the list is above the window; negative while its beginning is in sight
 * @param windowPixels height of the window
 */
export function rowsInSight(scrolledPixels: number, windowPixels: number, rowPixels: number): RowsInSight {
  const top = Math.max(scrolledPixels, 0)
  const bottom = Math.max(scrolledPixels + windowPixels, 0)
  return {
    first: Math.max(Math.floor((top / rowPixels - around) / step) * step, 0),
    end: Math.ceil((bottom / rowPixels + around) / step) * step,
  }
}
