import { type InfiniteData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query'
import type { Page } from '../../client/pages.ts'
import type { Document } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'

/** The most that the service gives at once: each row costs it a call to the store. */
const pageRows = 50

/** The versions of a document, newest first, page by page. */
export function useVersions({ tenant, type, name }: DocumentAddress, enabled: boolean) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['versions', tenant, type, name],
    queryFn: ({ pageParam, signal }) =>
      call(tenant, (documents) =>
        documents.versionsPage({ type, name }, { limit: pageRows, cursor: pageParam, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    enabled,
  })
}

/** Has the versions read again, where they are shown. */
export function reloadVersions(queries: QueryClient, { tenant, type, name }: DocumentAddress): Promise<void> {
  return queries.invalidateQueries({ queryKey: ['versions', tenant, type, name] })
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
