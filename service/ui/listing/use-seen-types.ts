import { useQuery } from '@tanstack/react-query'
import type { DocumentsClient } from '../../client/client.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'

/** Types of which the tenant has documents: those known, and others as far as the beginning of its listing shows. */
export function useSeenTypes(tenant: string, enabled: boolean) {
  const call = useDocumentsCall()
  return useQuery({
    queryKey: ['types', tenant],
    queryFn: ({ signal }) => call(tenant, (documents) => seenTypes(documents, signal)),
    enabled,
  })
}

/** The API lists documents, not types: one row tells that there is one. */
async function seenTypes(documents: DocumentsClient, signal: AbortSignal): Promise<string[]> {
  const asked = knownTypes.map(({ type }) => documents.listPage({ type, limit: 1, signal }))
  const pages = await Promise.all([documents.listPage({ limit: 1000, signal }), ...asked])
  return [...new Set(pages.flatMap(({ rows }) => rows.map(({ type }) => type)))]
}

/** Types that the platform knows. The set is open: any other can be typed in. */
export const knownTypes: readonly { type: string; holds: string }[] = [
  { type: 'deployment-bundles', holds: 'Deployable bundles, with tags that say where each is rolled out' },
  { type: 'definitions', holds: 'Descriptions of services and their resources' },
  { type: 'audit-exports', holds: 'Who did what and when, for audits' },
  { type: 'diagnostics', holds: 'Dumps and traces of an investigation' },
  { type: 'snapshots', holds: 'State at one moment, to return to' },
]
