import { type InfiniteData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query'
import type { Page } from '../../client/pages.ts'
import type { Document } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { reloadTags } from './use-tags.ts'

/** A version as the page shows it: of one that was read by itself, no one has said who uploaded it and when. */
export type ShownVersion = Omit<Document, 'createdAt' | 'createdBy'> &
  Partial<Pick<Document, 'createdAt' | 'createdBy'>>

/** The most that the service gives at once: each row costs it a call to the store. */
const pageRows = 50

/** The versions of a document, newest first, page by page. */
export function useVersions({ tenant, type, name }: DocumentAddress) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['versions', tenant, type, name],
    queryFn: ({ pageParam, signal }) =>
      call(tenant, (documents) =>
        documents.versionsPage({ type, name }, { limit: pageRows, cursor: pageParam, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    // All pages would be read again, and versions do not change.
    refetchOnWindowFocus: ({ state }) => (state.data?.pages.length ?? 0) <= 1,
  })
}

/** Has the versions and the tags read again, where they are shown. */
export async function reloadVersions(queries: QueryClient, address: DocumentAddress): Promise<void> {
  const { tenant, type, name } = address
  await Promise.all([
    queries.invalidateQueries({ queryKey: ['versions', tenant, type, name] }),
    queries.invalidateQueries({ queryKey: ['version', tenant, type, name] }),
    reloadTags(queries, address),
  ])
}

/** Takes a deleted version out of what was read: after the last one, nothing else would. */
export function removeFromVersions(queries: QueryClient, address: DocumentAddress, digest: string): void {
  const { tenant, type, name } = address
  queries.setQueryData<InfiniteData<Page<Document>, string | undefined>>(
    ['versions', tenant, type, name],
    (data) => data && { ...data, pages: data.pages.map((page) => without(page, digest)) },
  )
}

function without(page: Page<Document>, digest: string): Page<Document> {
  return { ...page, rows: page.rows.filter((row) => row.digest !== digest) }
}
