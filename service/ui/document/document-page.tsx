import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Link, useSearch } from 'wouter'
import type { Page } from '../../client/pages.ts'
import type { Document, Tag } from '../../wire/answers.ts'
import { type DocumentRef, latestTag } from '../../wire/names.ts'
import { failureOf } from '../failures/failure.ts'
import { distrustListings, putInListings, removeFromListings } from '../listing/use-listing.ts'
import { announce } from '../parts/announcer.tsx'
import { Breadcrumb } from '../parts/breadcrumb.tsx'
import { shortDigest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { LoadMore } from '../parts/load-more.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { useFocus } from '../parts/use-focus.ts'
import { historyPath, listPath, tenantPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'
import { useSettings } from '../settings.ts'
import { useTransfers } from '../transfers/use-transfers.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'
import { DocumentDialog } from './document-dialog.tsx'
import { LinkedVersion } from './linked-version.tsx'
import { type TagMove, TagMoved } from './tag-moved.tsx'
import { type TagAction, TagsTable } from './tags-table.tsx'
import { reloadTags, useTags } from './use-tags.ts'
import { reloadVersions, removeFromVersions, type ShownVersion, useVersions } from './use-versions.ts'
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

/** The tags and versions of a document, and what can be done with them. */
function Versions({ document }: { document: DocumentAddress }) {
  const { name } = document
  const queries = useQueryClient()
  const versions = useVersions(document)
  const tags = useTags(document)
  const selected = new URLSearchParams(useSearch()).get('version')
  const [action, setAction] = useState<VersionAction | TagAction | null>(null)
  const [moved, setMoved] = useState<TagMove | null>(null)
  const [hasDeleted, setHasDeleted] = useState(false)
  const transfers = useTransfers()
  const tagsHeading = useFocus<HTMLHeadingElement>()
  const versionsHeading = useFocus<HTMLHeadingElement>()
  const rows = useMemo(() => rowsOf(versions.data?.pages ?? [], tags.data), [versions.data, tags.data])
  useListingsUpToDate(document, rows, versions.error)

  const act = (next: VersionAction | TagAction) => {
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
    if (move.tag.tag === latestTag) distrustListings(queries, document)
    void reloadTags(queries, document)
  }
  const afterRemoval = (tag: string) => {
    done()
    tagsHeading.focus()
    announce(`The tag ${tag} was removed`)
    void reloadTags(queries, document)
  }
  const afterDelete = ({ digest }: ShownVersion) => {
    done()
    setHasDeleted(true)
    removeFromVersions(queries, document, digest)
    announce('The version was deleted')
    const isLast = !versions.hasNextPage && rows.every((version) => version.digest === digest)
    if (isLast) return removeFromListings(queries, document)
    versionsHeading.focus()
    distrustListings(queries, document)
    void reloadVersions(queries, document)
  }

  if (versions.isPending) return <Loading />
  if (rows.length === 0) {
    const isGone = !versions.isError || failureOf(versions.error).code === 'document_not_found'
    if (isGone && hasDeleted) return <Gone document={document} />
    if (versions.isError)
      return (
        <ErrorNote error={versions.error} onRetry={isGone ? undefined : () => versions.refetch()}>
          <ToTheList document={document} />
        </ErrorNote>
      )
  }
  const isRead = selected !== null && rows.some(({ digest }) => digest === selected)
  return (
    <>
      {moved && (
        <TagMoved document={document} move={moved} onUndone={afterMove} onDismiss={() => setMoved(null)} />
      )}
      {versions.isError && <ErrorNote error={versions.error} onRetry={() => versions.refetch()} />}
      <section className="section" aria-labelledby="tags">
        <h2 id="tags" ref={tagsHeading.ref} tabIndex={-1}>
          Tags
        </h2>
        {tags.isPending && <Loading />}
        {tags.isError && <ErrorNote error={tags.error} onRetry={() => tags.refetch()} />}
        {tags.data && <TagsTable document={document} tags={tags.data} onAction={act} />}
      </section>
      <section className="section" aria-labelledby="versions">
        <h2 id="versions" ref={versionsHeading.ref} tabIndex={-1}>
          Versions
        </h2>
        {selected !== null && !isRead && (
          <LinkedVersion document={document} digest={selected} tags={tags.data ?? []} onAction={act} />
        )}
        <VersionsTable
          label="Versions"
          document={document}
          versions={rows}
          selected={selected}
          onAction={act}
        />
        {versions.hasNextPage && (
          <LoadMore
            text="Load more versions"
            isLoading={versions.isFetchingNextPage}
            onLoad={() => versions.fetchNextPage()}
          />
        )}
      </section>
      {action && (
        <DocumentDialog
          document={document}
          action={action}
          tags={tags.data ?? []}
          versions={rows}
          onMoved={afterMove}
          onRemoved={afterRemoval}
          onDeleted={afterDelete}
          onStale={() => void reloadTags(queries, document)}
          onShowTags={() => {
            done()
            tagsHeading.focus()
          }}
          onClose={done}
        />
      )}
    </>
  )
}

/** What is left of a document whose last version was deleted here: nothing is wrong, and there is a way on. */
function Gone({ document }: { document: DocumentAddress }) {
  const note = useRef<HTMLParagraphElement>(null)
  useEffect(() => note.current?.focus(), [])
  return (
    <div className="note note-quiet">
      <p ref={note} tabIndex={-1}>
        The last version was deleted, and {document.name} with it. An upload makes it again.
      </p>
      <div className="row">
        <ToTheList document={document} />
      </div>
    </div>
  )
}

function ToTheList({ document: { tenant, type } }: { document: DocumentAddress }) {
  return (
    <Link className="button" href={listPath(tenant, type)}>
      To the list
    </Link>
  )
}

/** Returns the versions that were read, with the tags as they are now: they move more often than versions are read. */
function rowsOf(pages: readonly Page<Document>[], tags: readonly Tag[] | undefined): readonly Document[] {
  const read = pages.flatMap(({ rows }) => rows)
  if (tags === undefined) return read
  return read.map((version) => ({
    ...version,
    tags: tags.filter(({ digest }) => digest === version.digest).map(({ tag }) => tag),
  }))
}

/** Has the lists of documents show what this page knows of its document, so that they need not be read again. */
function useListingsUpToDate(document: DocumentRef, rows: readonly Document[], error: Error | null): void {
  const queries = useQueryClient()
  const { tenant, type, name } = document
  const isAbsent = error !== null && failureOf(error).code === 'document_not_found'
  useEffect(() => {
    const latest = rows.find(({ tags }) => tags.includes(latestTag))
    if (isAbsent) removeFromListings(queries, { tenant, type, name })
    else if (latest) putInListings(queries, latest)
  }, [queries, tenant, type, name, rows, isAbsent])
}
