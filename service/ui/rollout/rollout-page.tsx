import { useMemo, useRef, useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { TagMoved } from '../document/tag-moved.tsx'
import { counted, LoadRest, shownOf } from '../listing/load-rest.tsx'
import { useReadAll } from '../listing/use-read-all.ts'
import { Breadcrumb } from '../parts/breadcrumb.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { hasForm, listPath, rolloutPath, tenantPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'
import { Choices } from './choices.tsx'
import { comparisonOf, isDiffering } from './comparison.ts'
import { MoveDialog } from './move-dialog.tsx'
import { type RolloutQuery, rolloutQueryOf, rolloutSearch } from './rollout-query.ts'
import { RolloutTable } from './rollout-table.tsx'
import { useMoves } from './use-moves.ts'
import { rolloutRows, useRollout } from './use-rollout.ts'

interface RolloutPageProps {
  tenant: string
  type: string
}

/** Where the tags of all documents of a type point: what is in production, and what is not yet. */
export function RolloutPage({ tenant, type }: RolloutPageProps) {
  const { read, write } = usePermissions()
  const crumbs = [
    { text: tenant, href: tenantPath(tenant) },
    { text: type, href: listPath(tenant, type) },
    { text: 'Rollout' },
  ]
  return (
    <main className="page">
      <Breadcrumb crumbs={crumbs} />
      <div className="page-head">
        <PageHeading title={`Rollout of ${type}`}>Rollout of {type}</PageHeading>
      </div>
      {!write && <MissingScope what="move tags" scope={scopes.write} />}
      {read ? (
        <Rollout tenant={tenant} type={type} />
      ) : (
        <MissingScope what="list documents" scope={scopes.read} />
      )}
    </main>
  )
}

/** Rows that are put into the page at once; more are shown on demand. */
const shownStep = 200

function Rollout({ tenant, type }: RolloutPageProps) {
  const [query, change] = useRolloutQuery(tenant, type)
  const { prefix, tags, from, to, differing } = query
  // A prefix that no name can have is not requested.
  const isPossible = prefix === '' || hasForm('name', prefix)
  const rollout = useRollout({ tenant, type, prefix }, isPossible)
  const all = useReadAll(rollout)
  const [shownMax, setShownMax] = useState(shownStep)
  const { data, hasNextPage } = rollout
  const rows = useMemo(() => rolloutRows(data?.pages.flatMap((page) => page.rows) ?? []), [data])
  const seen = useMemo(() => [...new Set(rows.flatMap((row) => [...row.tags.keys()]))], [rows])
  const differ = useMemo(
    () => rows.filter((row) => isDiffering(comparisonOf(row, from, to))),
    [rows, from, to],
  )
  const matching = differing ? differ : rows
  const status = useRef<HTMLParagraphElement>(null)
  const moves = useMoves({ tenant, type, prefix }, status)
  const moving = rows.find(({ name }) => name === moves.moving)
  const isEmpty = !isPossible || (data !== undefined && rows.length === 0 && !hasNextPage)
  return (
    <>
      <Choices
        query={query}
        seen={seen}
        onChange={(part) => {
          if (part.prefix !== undefined) all.stop()
          change(part)
        }}
      />
      {moves.moved && (
        <TagMoved
          document={moves.moved.tag}
          move={moves.moved}
          onUndone={moves.done}
          onDismiss={moves.dismiss}
        />
      )}
      <div className="count">
        <p role="status" ref={status} tabIndex={-1}>
          {rows.length > 0 && comparedOf(rows.length, differ.length, query, !hasNextPage)}
        </p>
        <button
          type="button"
          className="button-row"
          disabled={rollout.isFetching}
          onClick={() => rollout.refetch()}
        >
          <Icon name="refresh" />
          Refresh
        </button>
      </div>
      {rollout.isLoading && <Loading />}
      {rollout.isError && (
        <ErrorNote
          error={rollout.error}
          onRetry={() => (data && hasNextPage ? rollout.fetchNextPage() : rollout.refetch())}
        />
      )}
      {isEmpty && <Nothing tenant={tenant} type={type} prefix={prefix} />}
      {rows.length > 0 && matching.length === 0 && (
        <div className="empty">
          <p>
            {hasNextPage ? 'None of the documents that were read differs' : 'No document differs'}
            {` in ${to} and ${from}`}
          </p>
        </div>
      )}
      {matching.length > 0 && (
        <RolloutTable
          {...{ tenant, type, tags, from, to }}
          rows={matching.slice(0, shownMax)}
          onMove={moves.begin}
        />
      )}
      {matching.length > shownMax && (
        <p className="load-more">
          <button type="button" className="button" onClick={() => setShownMax(shownMax + shownStep)}>
            Show {counted(Math.min(shownStep, matching.length - shownMax))} more rows
          </button>
        </p>
      )}
      {hasNextPage && !rollout.isError && (
        <LoadRest
          isLoading={rollout.isFetchingNextPage}
          onLoad={() => void rollout.fetchNextPage()}
          all={all}
          count={rows.length}
        />
      )}
      {moves.moving !== null && (
        <MoveDialog name={moves.moving} row={moving} {...{ from, to }} moves={moves} />
      )}
    </>
  )
}

function useRolloutQuery(tenant: string, type: string) {
  const [, navigate] = useLocation()
  const query = rolloutQueryOf(useSearch())
  const change = (part: Partial<RolloutQuery>) => {
    const path = rolloutPath(tenant, type)
    // What was typed is kept after a pause: by then another view may be on its way, which this must not undo.
    if (location.pathname === path) navigate(path + rolloutSearch({ ...query, ...part }), { replace: true })
  }
  return [query, change] as const
}

function Nothing({ tenant, type, prefix }: RolloutPageProps & { prefix: string }) {
  return (
    <div className="empty">
      <p>{prefix === '' ? 'No documents of this type yet' : `No name begins with “${prefix}”`}</p>
      {prefix === '' && (
        <p className="quiet">
          Upload the first ones in <Link href={listPath(tenant, type)}>the list</Link>.
        </p>
      )}
    </div>
  )
}

/** Says how many of which documents differ; of a part of them, that it is a part. */
function comparedOf(count: number, differ: number, query: RolloutQuery, isComplete: boolean): string {
  const { prefix, from, to } = query
  const rest = isComplete ? '' : '. Load all to compare all documents.'
  return `${shownOf(count, isComplete, prefix)}; ${to} differs from ${from} in ${counted(differ)} of them${rest}`
}
