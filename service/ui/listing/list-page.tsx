import { useQueryClient } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { Breadcrumb } from '../parts/breadcrumb.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { hasForm, listPath, rolloutPath, tenantPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'
import { documentRows, isStoreOrder, type Sort, sorted } from './document-rows.ts'
import { DocumentTable } from './document-table.tsx'
import { DropArea } from './drop-area.tsx'
import { type ListQuery, listQueryOf, listSearch } from './list-query.ts'
import { LoadRest, shownOf } from './load-rest.tsx'
import { NameField } from './name-field.tsx'
import { NameSearch } from './name-search.tsx'
import { type ListingScope, useListing } from './use-listing.ts'
import { useReadAll } from './use-read-all.ts'

interface ListPageProps {
  tenant: string
  type: string
}

/** The documents of one type. */
export function ListPage({ tenant, type }: ListPageProps) {
  const { read, write } = usePermissions()
  const [, navigate] = useLocation()
  const query = listQueryOf(useSearch())
  const change = (part: Partial<ListQuery>) => {
    const path = listPath(tenant, type)
    // What was typed is kept after a pause: by then another view may be on its way, which this must not undo.
    if (location.pathname === path) navigate(path + listSearch({ ...query, ...part }), { replace: true })
  }
  return (
    <main className="page">
      <DropArea tenant={tenant} type={type} allowed={write}>
        {(chooseFiles) => (
          <>
            <Breadcrumb crumbs={[{ text: tenant, href: tenantPath(tenant) }, { text: type }]} />
            <div className="page-head">
              <PageHeading title={`${type} of ${tenant}`}>{type}</PageHeading>
              <div className="row">
                <Link className="button" href={rolloutPath(tenant, type)}>
                  Rollout
                </Link>
                <button
                  type="button"
                  className="button button-primary"
                  disabled={!write}
                  onClick={chooseFiles}
                >
                  <Icon name="upload" />
                  Upload files
                </button>
              </div>
            </div>
            {!write && <MissingScope what="upload documents" scope={scopes.write} />}
            {!read && <MissingScope what="list documents" scope={scopes.read} />}
            {read && <Documents tenant={tenant} type={type} query={query} onChange={change} />}
          </>
        )}
      </DropArea>
    </main>
  )
}

interface DocumentsProps extends ListPageProps {
  query: ListQuery
  onChange: (part: Partial<ListQuery>) => void
}

function Documents({ tenant, type, query, onChange }: DocumentsProps) {
  const { prefix, contains } = query
  // A prefix that no name can have is not requested.
  const isPossible = prefix === '' || hasForm('name', prefix)
  const scope = { tenant, type, prefix }
  return (
    <>
      <div className="toolbar">
        <NameField label="Name begins with" kept={prefix} keep={(text) => onChange({ prefix: text })} />
        <NameField label="Name contains" kept={contains} keep={(text) => onChange({ contains: text })} />
      </div>
      {!isPossible && <Nothing prefix={prefix} />}
      {isPossible && contains !== '' && <NameSearch key={prefix} scope={scope} words={contains} />}
      {isPossible && contains === '' && (
        <Listing key={prefix} scope={scope} sort={query.sort} onSort={(sort) => onChange({ sort })} />
      )}
    </>
  )
}

interface ListingProps {
  scope: ListingScope
  sort: Sort
  onSort: (sort: Sort) => void
}

/** The documents with their latest versions, as far as they were read. */
function Listing({ scope, sort, onSort }: ListingProps) {
  const { tenant, type, prefix } = scope
  const listing = useListing(scope)
  const queries = useQueryClient()
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = listing
  const all = useReadAll(listing)
  const read = useMemo(() => documentRows(data?.pages.flatMap(({ rows }) => rows) ?? []), [data])
  const { column, descending } = sort
  const shown = useMemo(() => sorted(read, { column, descending }), [read, column, descending])
  // In any other order, loading more would move rows that are being read.
  const isInStoreOrder = isStoreOrder(sort)
  const loadMore = () => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }
  return (
    <>
      <div className="count">
        <p role="status">
          {data && shown.length > 0 && stateOf(shown.length, { isComplete: !hasNextPage, prefix, sort })}
        </p>
        <button
          type="button"
          className="button-row"
          disabled={listing.isFetching}
          onClick={() => queries.resetQueries({ queryKey: ['listing', tenant, type, prefix] })}
        >
          <Icon name="refresh" />
          Refresh
        </button>
      </div>
      {listing.isLoading && <Loading />}
      {listing.isError && (
        <ErrorNote error={listing.error} onRetry={() => (data ? fetchNextPage() : listing.refetch())} />
      )}
      {data && shown.length === 0 && !hasNextPage && <Nothing prefix={prefix} />}
      {shown.length > 0 && (
        <DocumentTable
          tenant={tenant}
          type={type}
          rows={shown}
          complete={!hasNextPage}
          sort={sort}
          onSort={onSort}
          onEndNear={isInStoreOrder && !listing.isError ? loadMore : undefined}
        />
      )}
      {hasNextPage && !listing.isError && (
        <LoadRest isLoading={isFetchingNextPage} onLoad={loadMore} all={all} count={read.length} />
      )}
    </>
  )
}

/** Says what is shown, and how far an order holds: a document that was not read may belong before all others. */
function stateOf(
  count: number,
  { isComplete, prefix, sort }: { isComplete: boolean; prefix: string; sort: Sort },
): string {
  const shown = shownOf(count, isComplete, prefix)
  if (isComplete || isStoreOrder(sort)) return shown
  return `${shown}, sorted among themselves. Load all to sort all documents.`
}

function Nothing({ prefix }: { prefix: string }) {
  if (prefix !== '')
    return (
      <div className="empty">
        <p>No name begins with “{prefix}”</p>
      </div>
    )
  return (
    <div className="empty">
      <Icon name="document" />
      <p>No documents of this type yet</p>
      <p className="quiet">Drop files here, or use Upload files.</p>
    </div>
  )
}
