import { type InfiniteData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query'
import type { Page } from '../../client/pages.ts'
import type { Document, ListedName } from '../../wire/answers.ts'
import type { DocumentRef } from '../../wire/names.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'

/** Documents of one page: the most that the service gives, since it reads two small objects for each. */
const pageRows = 100

/** What a listing begins with that is kept: everything of one tenant, type and beginning of names. */
export interface ListingScope {
  tenant: string
  type: string
  prefix: string
}

type ListingPage = Pick<Page<ListedName>, 'rows' | 'nextCursor'>

/** The documents of a type with their latest versions, page by page, in the store's order. */
export function useListing({ tenant, type, prefix }: ListingScope) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['listing', tenant, type, prefix],
    queryFn: async ({ pageParam, signal }): Promise<ListingPage> => {
      const namePrefix = prefix === '' ? undefined : prefix
      const page = {
        type,
        namePrefix,
        include: 'latest' as const,
        limit: pageRows,
        cursor: pageParam,
        signal,
      }
      const { rows, nextCursor } = await call(tenant, (documents) => documents.namesPage(page))
      return { rows, nextCursor }
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    // A thousand pages would be asked for again; there is a button for it.
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Number.POSITIVE_INFINITY,
  })
}

/** Puts what is the latest version of a document now into what was read, so that nothing has to be read again. */
export function putInListings(queries: QueryClient, latest: Document): void {
  const { tenant, type, name } = latest
  const row: ListedName = { tenant, type, name, latest }
  changeListings(queries, latest, (pages) => {
    const index = pages.findIndex(
      ({ rows, nextCursor }) => nextCursor === null || keyOf(rows.at(-1) ?? row) >= keyOf(row),
    )
    const page = pages[index]
    if (!page) return pages
    const at = page.rows.findIndex((one) => keyOf(one) >= keyOf(row))
    const replaced = page.rows[at]?.name === name ? 1 : 0
    const rows = page.rows.toSpliced(at === -1 ? page.rows.length : at, replaced, row)
    return pages.with(index, { ...page, rows })
  })
}

/** Takes a document that was deleted out of what was read. */
export function removeFromListings(queries: QueryClient, removed: DocumentRef): void {
  changeListings(queries, removed, (pages) =>
    pages.map((page) => {
      const rows = page.rows.filter(({ name }) => name !== removed.name)
      return rows.length === page.rows.length ? page : { ...page, rows }
    }),
  )
}

/** Has the lists of a type read again when they are shown next, unless `putInListings` says before what is in them. */
export function distrustListings(queries: QueryClient, { tenant, type }: DocumentRef): void {
  void queries.invalidateQueries({ queryKey: ['listing', tenant, type], refetchType: 'none' })
}

function changeListings(
  queries: QueryClient,
  { tenant, type, name }: DocumentRef,
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

/** The end of the store's key of a name, by which it orders: `a-b` comes before `a`, since `-` comes before `/`. */
function keyOf({ name }: Pick<ListedName, 'name'>): string {
  return `${name}/`
}
