import { useEffect, useState } from 'react'

/** What of a list that is read page by page is needed to read it to its end. */
interface PagedList {
  hasNextPage: boolean
  isFetchingNextPage: boolean
  isError: boolean
  fetchNextPage: () => unknown
}

/** Reads all pages of a list, one after the other, until it is stopped or one of them cannot be read. */
export function useReadAll({ hasNextPage, isFetchingNextPage, isError, fetchNextPage }: PagedList) {
  const [isReading, setReading] = useState(false)
  useEffect(() => {
    if (!isReading) return
    if (!hasNextPage || isError) setReading(false)
    else if (!isFetchingNextPage) void fetchNextPage()
  }, [isReading, hasNextPage, isFetchingNextPage, isError, fetchNextPage])
  return { isReading, start: () => setReading(true), stop: () => setReading(false) }
}
