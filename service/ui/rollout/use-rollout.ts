import { type InfiniteData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query'
import type { Page } from '../../client/pages.ts'
import type { ListedName, Tag } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'

/** Documents of one page: the most that the service gives, since it reads a small object for each. */
const pageRows = 100

/** What of a rollout is read: the documents of a tenant and type whose names begin so. */
export interface RolloutScope {
  tenant: string
  type: string
  prefix: string
}

type RolloutPages = InfiniteData<Page<ListedName>, string | undefined>

/** One document with its tags by their names. */
export interface RolloutRow {
  name: string
  tags: ReadonlyMap<string, Tag>
}

/** The documents of a type with all their tags, page by page. */
export function useRollout({ tenant, type, prefix }: RolloutScope, enabled: boolean) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['rollout', tenant, type, prefix],
    queryFn: ({ pageParam, signal }) => {
      const namePrefix = prefix === '' ? undefined : prefix
      const page = { type, namePrefix, include: 'tags' as const, limit: pageRows, cursor: pageParam, signal }
      return call(tenant, (documents) => documents.namesPage(page))
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    enabled,
    // All pages would be read again.
    refetchOnWindowFocus: ({ state }) => (state.data?.pages.length ?? 0) <= 1,
  })
}

/** Returns the rows of what was read, without documents that were deleted while it was. */
export function rolloutRows(names: readonly ListedName[]): RolloutRow[] {
  return names.flatMap(({ name, tags = [] }) =>
    tags.length === 0 ? [] : [{ name, tags: new Map(tags.map((tag) => [tag.tag, tag])) }],
  )
}

/** Puts the tags of one document, as they are now, into what was read; of a deleted document there are none. */
export function putTagsInRollout(
  queries: QueryClient,
  { tenant, type, prefix }: RolloutScope,
  name: string,
  change: (tags: readonly Tag[]) => Tag[],
): void {
  queries.setQueryData<RolloutPages>(['rollout', tenant, type, prefix], (data) => {
    if (!data) return data
    const changed = (row: ListedName) => (row.name === name ? { ...row, tags: change(row.tags ?? []) } : row)
    return { ...data, pages: data.pages.map((page) => ({ ...page, rows: page.rows.map(changed) })) }
  })
}
