import { useQuery } from '@tanstack/react-query'
import type { Tag } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { failureOf } from '../failures/failure.ts'
import { ErrorNote } from '../parts/error-note.tsx'
import { Loading } from '../parts/loading.tsx'
import { hasForm } from '../routes.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { type VersionAction, VersionsTable } from './versions-table.tsx'

interface LinkedVersionProps {
  document: DocumentAddress
  digest: string
  tags: readonly Tag[]
  onAction: (action: VersionAction) => void
}

/** The version that the address names, where it is not among those that were read. */
export function LinkedVersion({ document, digest, tags, onAction }: LinkedVersionProps) {
  const { tenant, type, name } = document
  const call = useDocumentsCall()
  const isDigest = hasForm('digest', digest)
  const version = useQuery({
    queryKey: ['version', tenant, type, name, digest],
    queryFn: ({ signal }) => call(tenant, (documents) => documents.head({ type, name, digest }, { signal })),
    enabled: isDigest,
  })
  const isAbsent = version.isError && failureOf(version.error).code === 'document_not_found'
  if (!isDigest || isAbsent)
    return (
      <p className="note note-quiet" role="status">
        {isDigest
          ? 'The version of this address does not exist. It may have been deleted.'
          : 'The address names a version that cannot exist: a digest is “sha256:” and 64 hexadecimal digits.'}
      </p>
    )
  if (version.isError) return <ErrorNote error={version.error} onRetry={() => version.refetch()} />
  if (version.isPending) return <Loading />
  const pointing = tags.filter((tag) => tag.digest === digest).map(({ tag }) => tag)
  return (
    <VersionsTable
      label="Version of this address"
      document={document}
      versions={[{ ...version.data, tags: pointing }]}
      selected={digest}
      onAction={onAction}
    />
  )
}
