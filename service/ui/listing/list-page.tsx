import { useQueryClient } from '@tanstack/react-query'
import { useDeferredValue, useMemo } from 'react'
import { useLocation, useSearch } from 'wouter'
import { Breadcrumb } from '../parts/breadcrumb.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { LoadMore } from '../parts/load-more.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { hasForm, listPath, tenantPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'
import { type DocumentRow, documentRows, filtered, sorted, storeOrder } from './document-rows.ts'
import { DocumentTable } from './document-table.tsx'
import { DropArea } from './drop-area.tsx'
import { type ListQuery, listQueryOf, listSearch } from './list-query.ts'
import { ListToolbar } from './list-toolbar.tsx'
import { useListing } from './use-listing.ts'

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
              <button type="button" className="button button-primary" disabled={!write} onClick={chooseFiles}>
                <Icon name="upload" />
                Upload files
              </button>
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
  // A prefix that no name can have is not requested.
  const isPossible = query.prefix === '' || hasForm('name', query.prefix)
  const listing = useListing({ tenant, type, prefix: query.prefix }, isPossible)
  const queries = useQueryClient()
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = listing
  const read = useMemo(
    () => documentRows(data?.pages.flatMap(({ rows }) => rows) ?? [], !hasNextPage),
    [data, hasNextPage],
  )
  const filter = useDeferredValue(query.filter)
  const { column, descending } = query.sort
  const shown = useMemo(
    () => sorted(filtered(read, filter), { column, descending }),
    [read, filter, column, descending],
  )
  // In any other order, loading more would move rows that are being read, or never find enough of them.
  const inStoreOrder = column === storeOrder.column && !descending && filter.trim() === ''
  const loadMore = () => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }
  return (
    <>
      <ListToolbar query={query} onChange={onChange} />
      <div className="count">
        <p role="status">
          {data && `${count(shown.length)} of the first ${count(read.length)} documents`}
          {data && !hasNextPage && ' (all are loaded)'}
        </p>
        <button
          type="button"
          className="button-row"
          disabled={listing.isFetching}
          onClick={() => queries.resetQueries({ queryKey: ['listing', tenant, type, query.prefix] })}
        >
          <Icon name="refresh" />
          Refresh
        </button>
      </div>
      {!isPossible && <Nothing read={[]} prefix={query.prefix} />}
      {listing.isLoading && <Loading />}
      {listing.isError && (
        <ErrorNote error={listing.error} onRetry={() => (data ? fetchNextPage() : listing.refetch())} />
      )}
      {data && shown.length === 0 && !hasNextPage && <Nothing read={read} prefix={query.prefix} />}
      {shown.length > 0 && (
        <DocumentTable
          tenant={tenant}
          type={type}
          rows={shown}
          complete={!hasNextPage}
          sort={query.sort}
          onSort={(sort) => onChange({ sort })}
          onEndNear={inStoreOrder && !listing.isError ? loadMore : undefined}
        />
      )}
      {hasNextPage && !listing.isError && (
        <LoadMore text="Load more" isLoading={isFetchingNextPage} onLoad={loadMore}>
          {isFetchingNextPage && <Loading />}
          {!inStoreOrder && <p className="quiet">Only loaded documents are sorted and filtered.</p>}
        </LoadMore>
      )}
    </>
  )
}

function Nothing({ read, prefix }: { read: readonly DocumentRow[]; prefix: string }) {
  if (read.length > 0)
    return (
      <div className="empty">
        <p>None of the loaded names matches the filter</p>
      </div>
    )
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

const numbers = new Intl.NumberFormat('en')

function count(value: number): string {
  return numbers.format(value)
}
