import { type InfiniteData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query'
import type { Page } from '../../client/pages.ts'
import type { ListedVersion } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'

/** Keys of one page: the most that the service gives. */
const pageRows = 1000

/** What a listing begins with that is kept: everything of one tenant, type and beginning of names. */
export interface ListingScope {
  tenant: string
  type: string
  prefix: string
}

type ListingPage = Pick<Page<ListedVersion>, 'rows' | 'nextCursor'>

/** The versions of a type, page by page, in the store's order. */
export function useListing({ tenant, type, prefix }: ListingScope, enabled: boolean) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['listing', tenant, type, prefix],
    queryFn: async ({ pageParam, signal }): Promise<ListingPage> => {
      const namePrefix = prefix === '' ? undefined : prefix
      const page = { type, namePrefix, limit: pageRows, cursor: pageParam, signal }
      const { rows, nextCursor } = await call(tenant, (documents) => documents.listPage(page))
      return { rows, nextCursor }
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    enabled,
    // A hundred pages would be asked for again; there is a button for it.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Puts a version that was just published into what was read, so that it shows without reading everything again. */
export function addToListings(queries: QueryClient, added: ListedVersion): void {
  changeListings(queries, added, (pages) => {
    const key = keyOf(added)
    const index = pages.findIndex(
      ({ rows, nextCursor }) => nextCursor === null || keyOf(rows.at(-1) ?? added) >= key,
    )
    const page = pages[index]
    if (!page || page.rows.some((row) => keyOf(row) === key)) return pages
    const at = page.rows.findIndex((row) => keyOf(row) > key)
    const rows = page.rows.toSpliced(at === -1 ? page.rows.length : at, 0, added)
    return pages.with(index, { ...page, rows })
  })
}

/** Takes a version that was just deleted out of what was read. */
export function removeFromListings(
  queries: QueryClient,
  removed: Pick<ListedVersion, 'tenant' | 'type' | 'name' | 'digest'>,
): void {
  const key = keyOf(removed)
  changeListings(queries, removed, (pages) =>
    pages.map((page) => {
      const rows = page.rows.filter((row) => keyOf(row) !== key)
      return rows.length === page.rows.length ? page : { ...page, rows }
    }),
  )
}

function changeListings(
  queries: QueryClient,
  { tenant, type, name }: Pick<ListedVersion, 'tenant' | 'type' | 'name'>,
  change: (pages: ListingPage[]) => ListingPage[],
): void {
  for (const query of queries.getQueryCache().findAll({ queryKey: ['listing', tenant, type] })) {
    if (!name.startsWith(String(query.queryKey[3]))) continue
    const apply = () =>
      void queries.setQueryData<InfiniteData<ListingPage, string | undefined>>(
        query.queryKey,
        (data) => data && { ...data, pages: change(data.pages) },
      )
    apply()
    // A page that is on its way is put behind what was there when it was asked for, and may itself be older.
    if (query.state.fetchStatus === 'fetching') query.promise?.then(apply, apply)
  }
}

/** The end of the store's key, by which it orders. */
function keyOf({ name, digest }: Pick<ListedVersion, 'name' | 'digest'>): string {
  return `${name}/${digest}`
}
