import { useEffect, useState } from 'react'

/** What of a list that is read page by page is needed to read it to its end. */
interface PagedList {
  /** Whether at least one page was read. */
  isSuccess: boolean
  hasNextPage: boolean
  isFetchingNextPage: boolean
  isError: boolean
  fetchNextPage: () => unknown
}

/**
 * Reads all pages of a list, one after the other, until it is stopped or one of them cannot be read.
 *
 * @param isWanted whether it begins by itself
 */
export function useReadAll(list: PagedList, isWanted = false) {
  const { isSuccess: isRead, hasNextPage, isFetchingNextPage, isError, fetchNextPage } = list
  const [isReading, setReading] = useState(isWanted)
  useEffect(() => {
    if (!isReading) return
    if (isError || (isRead && !hasNextPage)) setReading(false)
    else if (isRead && !isFetchingNextPage) void fetchNextPage()
  }, [isReading, isRead, hasNextPage, isFetchingNextPage, isError, fetchNextPage])
  return { isReading, start: () => setReading(true), stop: () => setReading(false) }
}
