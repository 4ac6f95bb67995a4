import { useInfiniteQuery } from '@tanstack/react-query'
import { useDeferredValue, useMemo, useState } from 'react'
import { Link } from 'wouter'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { ErrorNote } from '../parts/error-note.tsx'
import { Loading } from '../parts/loading.tsx'
import { documentPath } from '../routes.ts'
import { counted } from './load-rest.tsx'
import { containing, searchedOf } from './searched-names.ts'
import type { ListingScope } from './use-listing.ts'
import { useReadAll } from './use-read-all.ts'

/** Names of one page: the most that the service gives, with one call to the store. */
const pageRows = 1000

/** Names that are put into the page at once; more are shown on demand. */
const shownStep = 200

/** The documents whose names contain all words: searches every name, can be stopped, and says what it has searched. */
export function NameSearch({ scope, words }: { scope: ListingScope; words: string }) {
  const { tenant, type, prefix } = scope
  const names = useNames(scope)
  const all = useReadAll(names, true)
  const [shownMax, setShownMax] = useState(shownStep)
  const read = useMemo(() => names.data?.pages.flatMap((page) => page.names) ?? [], [names.data])
  const wanted = useDeferredValue(words)
  const found = useMemo(() => containing(read, wanted), [read, wanted])
  const isComplete = names.isSuccess && !names.hasNextPage
  return (
    <>
      <div className="count">
        <p role="status">
          {names.data &&
            searchedOf({ found: found.length, read: read.length, isComplete, prefix, words: wanted })}
        </p>
        {names.hasNextPage && !names.isError && (
          <button type="button" className="button-row" onClick={all.isReading ? all.stop : all.start}>
            {all.isReading ? 'Stop searching' : 'Search on'}
          </button>
        )}
      </div>
      {names.isError && (
        <ErrorNote error={names.error} onRetry={() => (names.data ? all.start() : names.refetch())} />
      )}
      {found.length > 0 && (
        <ul className="types" aria-label="Documents found">
          {found.slice(0, shownMax).map((name) => (
            <li key={name} className="wrap">
              <Link href={documentPath(tenant, type, name)} id={`document-${name}`}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {found.length > shownMax && (
        <p className="load-more">
          <button type="button" className="button" onClick={() => setShownMax(shownMax + shownStep)}>
            Show {counted(Math.min(shownStep, found.length - shownMax))} more names
          </button>
        </p>
      )}
      {all.isReading && <Loading key={read.length} what="Searching…" />}
    </>
  )
}

/** The names of a type, page by page, without anything about them. */
function useNames({ tenant, type, prefix }: ListingScope) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['names', tenant, type, prefix],
    queryFn: async ({ pageParam, signal }) => {
      const namePrefix = prefix === '' ? undefined : prefix
      const page = { type, namePrefix, limit: pageRows, cursor: pageParam, signal }
      const { rows, nextCursor } = await call(tenant, (documents) => documents.namesPage(page))
      return { names: rows.map(({ name }) => name), nextCursor }
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    // All pages would be read again.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  })
}
