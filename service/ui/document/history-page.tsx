import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useSearch } from 'wouter'
import type { TagChange } from '../../wire/answers.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { Breadcrumb } from '../parts/breadcrumb.tsx'
import { Digest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { LoadMore } from '../parts/load-more.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { TagBadge } from '../parts/tag-badge.tsx'
import { Time } from '../parts/time.tsx'
import { documentPath, historyPath, listPath, tenantPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'
import type { DocumentAddress } from '../transfers/worker-messages.ts'

/** Who pointed the tags of a document at what, and when. */
export function HistoryPage(document: DocumentAddress) {
  const { tenant, type, name } = document
  const { admin } = usePermissions()
  const crumbs = [
    { text: tenant, href: tenantPath(tenant) },
    { text: type, href: listPath(tenant, type) },
    { text: name, href: documentPath(tenant, type, name) },
    { text: 'History' },
  ]
  return (
    <main className="page">
      <Breadcrumb crumbs={crumbs} />
      <PageHeading title={`History of ${name}`}>History of {name}</PageHeading>
      {admin ? (
        <Changes document={document} />
      ) : (
        <MissingScope what="see who moved tags" scope={scopes.admin} />
      )}
    </main>
  )
}

function Changes({ document }: { document: DocumentAddress }) {
  const tag = new URLSearchParams(useSearch()).get('tag') ?? undefined
  const history = useHistory(document, tag)
  if (history.isPending) return <Loading />
  const changes = distinct(history.data?.pages.flatMap((page) => page.changes) ?? [])
  const since = history.data?.pages.at(-1)?.since
  return (
    <>
      {tag !== undefined && (
        <p>
          Only <TagBadge tag={tag} />.{' '}
          <Link href={historyPath(document.tenant, document.type, document.name)}>Show all tags</Link>
        </p>
      )}
      {history.isError && <ErrorNote error={history.error} onRetry={() => history.refetch()} />}
      {changes.length > 0 && <ChangesTable document={document} changes={changes} />}
      {since !== undefined && (
        <LoadMore
          text="Load earlier changes"
          isLoading={history.isFetchingNextPage}
          onLoad={() => history.fetchNextPage()}
          before={
            <p>
              {changes.length === 0 ? 'No tag was moved since ' : 'Complete since '}
              <Time value={since} />, as far as logs are kept.
            </p>
          }
        />
      )}
    </>
  )
}

function ChangesTable({ document, changes }: { document: DocumentAddress; changes: readonly TagChange[] }) {
  const { tenant, type, name } = document
  const version = (digest: string) => (
    <Link href={documentPath(tenant, type, name, digest)}>
      <Digest digest={digest} />
    </Link>
  )
  return (
    <table className="versions" aria-label="Changes of tags">
      <thead>
        <tr>
          {['When', 'Who', 'Tag', 'Now', 'Before'].map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={keyOf(change)}>
            <td data-title="When">
              <Time value={change.at} />
            </td>
            <td data-title="Who" className="wrap">
              {change.by}
            </td>
            <td data-title="Tag">
              <Link href={historyPath(tenant, type, name, change.tag)}>
                <TagBadge tag={change.tag} />
              </Link>
            </td>
            <td data-title="Now">{change.digest === null ? 'removed' : version(change.digest)}</td>
            <td data-title="Before">
              {change.previousDigest === null ? beforeOf(change) : version(change.previousDigest)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function beforeOf({ action }: TagChange): string {
  if (action === 'tag.put') return 'new tag'
  return action === 'tag.delete' ? 'not known' : 'by upload'
}

/** The changes of a document's tags, newest first; each page is what one question to the audit covers. */
function useHistory({ tenant, type, name }: DocumentAddress, tag: string | undefined) {
  const call = useDocumentsCall()
  return useInfiniteQuery({
    queryKey: ['history', tenant, type, name, tag],
    queryFn: ({ pageParam, signal }) =>
      call(tenant, (documents) => documents.history({ type, name }, { tag, before: pageParam, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ since }) => since,
  })
}

/** A page begins with the changes of the last millisecond of the one before. */
function distinct(changes: readonly TagChange[]): TagChange[] {
  return [...new Map(changes.map((change) => [keyOf(change), change])).values()]
}

function keyOf({ at, tag, traceId }: TagChange): string {
  return `${at} ${tag} ${traceId}`
}
