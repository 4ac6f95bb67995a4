// biome-ignore-all lint/a11y/noRedundantRoles: Safari forgets the roles of a table that is laid out as cards
import { Link } from 'wouter'
import { Digest, shortDigest } from '../parts/digest.tsx'
import { TableHead } from '../parts/table-head.tsx'
import { Time } from '../parts/time.tsx'
import { documentPath } from '../routes.ts'
import { type Comparison, comparisonOf, isDiffering } from './comparison.ts'
import type { RolloutRow } from './use-rollout.ts'

interface RolloutTableProps {
  tenant: string
  type: string
  rows: readonly RolloutRow[]
  /** The columns. */
  tags: readonly string[]
  from: string
  to: string
  /** Left out for those who may not move tags. */
  onMove: ((name: string) => void) | undefined
}

/** Documents as rows, tags as columns, and how two of the tags compare. */
export function RolloutTable({ rows, tags, ...rest }: RolloutTableProps) {
  return (
    <table role="table" className="versions rollout" aria-label="Rollout">
      <TableHead titles={['Document', ...tags, 'Comparison']} />
      <tbody role="rowgroup">
        {rows.map((row) => (
          <Row key={row.name} row={row} tags={tags} {...rest} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ row, tags, ...rest }: Omit<RolloutTableProps, 'rows'> & { row: RolloutRow }) {
  const { tenant, type, from, to, onMove } = rest
  const { name } = row
  const comparison = comparisonOf(row, from, to)
  const source = row.tags.get(from)
  return (
    <tr role="row" className={isDiffering(comparison) ? 'differing' : undefined}>
      <th role="rowheader" scope="row">
        <Link href={documentPath(tenant, type, name)} id={rowId(name)}>
          {name}
        </Link>
      </th>
      {tags.map((tag) => (
        <td key={tag} role="cell" data-title={tag}>
          <Cell tenant={tenant} type={type} row={row} tag={tag} />
        </td>
      ))}
      <td role="cell" data-title="Comparison">
        <span className="row">
          <span className={isDiffering(comparison) ? 'badge badge-strong' : 'quiet'}>
            {textOf(comparison, from, to)}
          </span>
          {onMove && source && isDiffering(comparison) && (
            <button
              type="button"
              className="button-row"
              aria-label={`Move ${to} of ${name} to ${shortDigest(source.digest)}`}
              onClick={() => onMove(name)}
            >
              Move {to}
            </button>
          )}
        </span>
      </td>
    </tr>
  )
}

interface CellProps {
  tenant: string
  type: string
  row: RolloutRow
  tag: string
}

/** Where a tag points. Who moved it there is read with the link, and shown while the cell is pointed at or focused. */
function Cell({ tenant, type, row: { name, tags }, tag }: CellProps) {
  const at = tags.get(tag)
  if (at === undefined) return <span className="quiet">not set</span>
  const detailId = `${rowId(name)}-${tag}`
  return (
    <span className="rollout-at">
      <Link href={documentPath(tenant, type, name, at.digest)} aria-describedby={detailId}>
        <Digest digest={at.digest} />
      </Link>
      <span id={detailId} className="rollout-detail">
        by {at.movedBy}, <Time value={at.movedAt} />
      </span>
    </span>
  )
}

/** Returns the id of the link of a row. */
export function rowId(name: string): string {
  return `rollout-${name}`
}

function textOf(comparison: Comparison, from: string, to: string): string {
  switch (comparison) {
    case 'same':
      return 'same'
    case 'differs':
      return 'differs'
    case 'from-absent':
      return `no ${from}`
    case 'to-absent':
      return `no ${to}`
    case 'both-absent':
      return 'neither'
  }
}
