import { type QueryClient, useQuery } from '@tanstack/react-query'
import type { Tag } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { compareTags } from '../parts/tag-order.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'

/**
 * All tags of a document, wherever they point, in the order in which they are shown.
 *
 * @param options.readAtFirst reads them again however young they are, for a view that is about to move one
 */
export function useTags({ tenant, type, name }: DocumentAddress, { readAtFirst = false } = {}) {
  const call = useDocumentsCall()
  return useQuery({
    queryKey: ['tags', tenant, type, name],
    queryFn: async ({ signal }): Promise<Tag[]> => {
      const tags = await call(tenant, (documents) => documents.tags({ type, name }, { signal }))
      return tags.toSorted((a, b) => compareTags(a.tag, b.tag))
    },
    ...(readAtFirst && { refetchOnMount: 'always' }),
  })
}

/** Has the tags read again, where they are shown; those of a rollout when that is shown next. */
export async function reloadTags(
  queries: QueryClient,
  { tenant, type, name }: DocumentAddress,
): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: ['tags', tenant, type, name] }),
    queries.invalidateQueries({ queryKey: ['rollout', tenant, type], refetchType: 'none' }),
  ])
}
