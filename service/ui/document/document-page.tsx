import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { Link, useSearch } from 'wouter'
import type { Document } from '../../wire/answers.ts'
import { failureOf } from '../failures/failure.ts'
import { removeFromListings } from '../listing/use-listing.ts'
import { announce } from '../parts/announcer.tsx'
import { Breadcrumb } from '../parts/breadcrumb.tsx'
import { shortDigest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { LoadMore } from '../parts/load-more.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { historyPath, listPath, tenantPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'
import { useSettings } from '../settings.ts'
import { useTransfers } from '../transfers/use-transfers.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { DeleteDialog } from './delete-dialog.tsx'
import { PreviewDialog } from './preview-dialog.tsx'
import { SetTagDialog } from './set-tag-dialog.tsx'
import { type TagMove, TagMoved } from './tag-moved.tsx'
import { reloadVersions, removeFromVersions, useVersions } from './use-versions.ts'
import { type VersionAction, VersionsTable } from './versions-table.tsx'

/** One document with its versions. */
export function DocumentPage(document: DocumentAddress) {
  const { tenant, type, name } = document
  const { read, write, admin } = usePermissions()
  const { hasHistory } = useSettings()
  const crumbs = [
    { text: tenant, href: tenantPath(tenant) },
    { text: type, href: listPath(tenant, type) },
    { text: name },
  ]
  return (
    <main className="page">
      <Breadcrumb crumbs={crumbs} />
      <div className="page-head">
        <PageHeading title={name}>{name}</PageHeading>
        {admin && hasHistory && (
          <Link className="button" href={historyPath(tenant, type, name)}>
            History
          </Link>
        )}
        {write && <UploadVersion document={document} />}
      </div>
      {read ? <Versions document={document} /> : <MissingScope what="read documents" scope={scopes.read} />}
    </main>
  )
}

/** A file of any name becomes a version of this document. */
function UploadVersion({ document }: { document: DocumentAddress }) {
  const transfers = useTransfers()
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="File of the new version"
        onChange={({ target }) => {
          transfers.upload(document, [...(target.files ?? [])])
          target.value = ''
        }}
      />
      <button type="button" className="button" onClick={() => input.current?.click()}>
        <Icon name="upload" />
        Upload a new version
      </button>
    </>
  )
}

function Versions({ document }: { document: DocumentAddress }) {
  const { tenant, type, name } = document
  const queries = useQueryClient()
  const versions = useVersions(document, true)
  const selected = new URLSearchParams(useSearch()).get('version')
  const [action, setAction] = useState<VersionAction | null>(null)
  const [moved, setMoved] = useState<TagMove | null>(null)
  const transfers = useTransfers()
  const rows = versions.data?.pages.flatMap((page) => page.rows) ?? []

  const act = (next: VersionAction) => {
    setMoved(null)
    if (next.kind !== 'download') return setAction(next)
    transfers.download(document, next.version.digest, next.version.size)
    announce(`Download of ${name} added to the transfers`)
  }
  const done = () => setAction(null)
  const afterMove = (move: TagMove) => {
    done()
    setMoved(move)
    announce(`${move.tag.tag} is on ${shortDigest(move.tag.digest)} now`)
    void reloadVersions(queries, document)
  }
  const afterDelete = ({ digest }: Document) => {
    done()
    removeFromListings(queries, { ...document, digest })
    removeFromVersions(queries, document, digest)
    announce('The version was deleted')
    void reloadVersions(queries, document)
  }

  if (versions.isPending) return <Loading />
  if (versions.isError && rows.length === 0) {
    const gone = failureOf(versions.error).code === 'document_not_found'
    return (
      <ErrorNote error={versions.error} onRetry={gone ? undefined : () => versions.refetch()}>
        <Link className="button" href={listPath(tenant, type)}>
          To the list
        </Link>
      </ErrorNote>
    )
  }
  return (
    <>
      {moved && (
        <TagMoved document={document} move={moved} onUndone={afterMove} onDismiss={() => setMoved(null)} />
      )}
      {versions.isError && <ErrorNote error={versions.error} />}
      <VersionsTable document={document} versions={rows} selected={selected} onAction={act} />
      {selected !== null && !rows.some(({ digest }) => digest === selected) && (
        <p className="note note-quiet" role="status">
          {`The version of this address is not among the ${rows.length} newest.`}
        </p>
      )}
      {versions.hasNextPage && (
        <LoadMore
          text="Load more versions"
          isLoading={versions.isFetchingNextPage}
          onLoad={() => versions.fetchNextPage()}
        />
      )}
      {action?.kind === 'preview' && (
        <PreviewDialog document={document} version={action.version} onClose={done} />
      )}
      {action?.kind === 'set-tag' && (
        <SetTagDialog version={action.version} versions={rows} onMoved={afterMove} onClose={done} />
      )}
      {action?.kind === 'delete' && (
        <DeleteDialog version={action.version} onDeleted={afterDelete} onClose={done} />
      )}
    </>
  )
}
