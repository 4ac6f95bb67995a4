import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { Link, useLocation, useSearch } from 'wouter'
import { ProblemError } from '../../client/errors.ts'
import type { Tag } from '../../wire/answers.ts'
import { latestTag } from '../../wire/names.ts'
import { useDocumentsCall } from '../calls/use-documents-call.ts'
import { type TagMove, TagMoved } from '../document/tag-moved.tsx'
import { reloadTags } from '../document/use-tags.ts'
import { counted, LoadRest, shownOf } from '../listing/load-rest.tsx'
import { NameField } from '../listing/name-field.tsx'
import { distrustListings } from '../listing/use-listing.ts'
import { useReadAll } from '../listing/use-read-all.ts'
import { announce } from '../parts/announcer.tsx'
import { Breadcrumb } from '../parts/breadcrumb.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { shortDigest } from '../parts/digest.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Icon } from '../parts/icon.tsx'
import { Loading } from '../parts/loading.tsx'
import { MissingScope } from '../parts/missing-scope.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { hasForm, listPath, rolloutPath, tenantPath } from '../routes.ts'
import { scopes } from '../session/token-claims.ts'
import { usePermissions } from '../session/use-session.ts'
import { Columns } from './columns.tsx'
import { comparisonOf, isDiffering } from './comparison.ts'
import { MoveAcrossDialog } from './move-across-dialog.tsx'
import { type RolloutQuery, rolloutQueryOf, rolloutSearch } from './rollout-query.ts'
import { RolloutTable, rowId } from './rollout-table.tsx'
import { putTagsInRollout, type RolloutRow, rolloutRows, useRollout } from './use-rollout.ts'

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
      <Choices query={query} seen={seen} onChange={change} />
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
          {rows.length > 0 &&
            `${shownOf(rows.length, !hasNextPage, prefix)}; ${to} differs from ${from} in ${counted(differ.length)} of them${hasNextPage ? '. Load all to compare all documents.' : ''}`}
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
            {hasNextPage
              ? `In the documents that were read, ${to} is where ${from} is`
              : `${to} is where ${from} is, in all documents`}
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

interface ChoicesProps {
  query: RolloutQuery
  seen: readonly string[]
  onChange: (part: Partial<RolloutQuery>) => void
}

/** Which documents are read, which tags are columns, and which two of them are compared. */
function Choices({ query: { prefix, tags, from, to, differing }, seen, onChange }: ChoicesProps) {
  const [fromId, toId] = [useId(), useId()]
  const options = tags.map((tag) => (
    <option key={tag} value={tag}>
      {tag}
    </option>
  ))
  return (
    <>
      <div className="toolbar">
        <NameField label="Name begins with" kept={prefix} keep={(text) => onChange({ prefix: text })} />
        <div className="field">
          <label htmlFor={toId}>Compare</label>
          <select
            id={toId}
            value={to}
            onChange={({ target }) => onChange({ to: target.value, from: target.value === from ? to : from })}
          >
            {options}
          </select>
        </div>
        <div className="field">
          <label htmlFor={fromId}>with</label>
          <select
            id={fromId}
            value={from}
            onChange={({ target }) => onChange({ from: target.value, to: target.value === to ? from : to })}
          >
            {options}
          </select>
        </div>
      </div>
      <div className="row rollout-choices">
        <label className="check">
          <input
            type="checkbox"
            checked={differing}
            onChange={({ target }) => onChange({ differing: target.checked })}
          />
          Show only documents that differ
        </label>
        <Columns seen={seen} chosen={tags} onChange={(chosen) => onChange({ tags: chosen })} />
      </div>
    </>
  )
}

interface MoveDialogProps {
  name: string
  /** `undefined` after the document was deleted. */
  row: RolloutRow | undefined
  from: string
  to: string
  moves: ReturnType<typeof useMoves>
}

/** The question before a move, about the tags as they are now. */
function MoveDialog({ name, row, from, to, moves }: MoveDialogProps) {
  const source = row?.tags.get(from)
  if (source === undefined)
    return (
      <Dialog title={`${to} of ${name} cannot be moved`} onClose={moves.cancel}>
        <p>
          {row === undefined
            ? 'The document was deleted in the meantime.'
            : `Its tag ${from} was removed in the meantime.`}
        </p>
        <div className="row row-end">
          <button type="button" className="button" onClick={moves.cancel}>
            Close
          </button>
        </div>
      </Dialog>
    )
  return (
    <MoveAcrossDialog
      source={source}
      target={row?.tags.get(to)}
      to={to}
      onMoved={moves.done}
      onRefused={() => void moves.reread(name)}
      onClose={moves.cancel}
    />
  )
}

/** The move that is asked about, the one that was made last, and what they change in what was read. */
function useMoves(
  scope: { tenant: string; type: string; prefix: string },
  status: React.RefObject<HTMLElement | null>,
) {
  const queries = useQueryClient()
  const call = useDocumentsCall()
  const { write } = usePermissions()
  const [moving, setMoving] = useState<string | null>(null)
  const [moved, setMoved] = useState<TagMove | null>(null)
  const [left, setLeft] = useState<{ name: string } | null>(null)
  const { tenant, type } = scope
  useEffect(() => {
    // The button that was pressed is gone where the tags are at one version now; with its row, if only others are shown.
    if (left !== null) (document.getElementById(rowId(left.name)) ?? status.current)?.focus()
  }, [left, status])
  const readTags = async (name: string): Promise<Tag[]> => {
    try {
      return await call(tenant, (documents) => documents.tags({ type, name }))
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'document_not_found') return []
      throw error
    }
  }
  return {
    moving,
    moved,
    begin: write
      ? (name: string) => {
          setMoved(null)
          setMoving(name)
        }
      : undefined,
    cancel: () => setMoving(null),
    dismiss: () => setMoved(null),
    done(move: TagMove) {
      const { name, tag, digest } = move.tag
      setMoving(null)
      setMoved(move)
      setLeft({ name })
      announce(`${tag} of ${name} is on ${shortDigest(digest)} now`)
      putTagsInRollout(queries, scope, name, (tags) => [...tags.filter((one) => one.tag !== tag), move.tag])
      void reloadTags(queries, move.tag)
      if (tag === latestTag) distrustListings(queries, move.tag)
    },
    /** Reads the tags of one document again. What cannot be read stays as it was: the refusal is shown already. */
    async reread(name: string) {
      const tags = await readTags(name).catch(() => null)
      if (tags !== null) putTagsInRollout(queries, scope, name, () => tags)
    },
  }
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
