import { memo, useEffect, useRef } from 'react'
import { Link } from 'wouter'
import { byteSize } from '../parts/byte-size.ts'
import { Digest } from '../parts/digest.tsx'
import { Icon } from '../parts/icon.tsx'
import { Time } from '../parts/time.tsx'
import { documentPath } from '../routes.ts'
import type { DocumentRow, Sort, SortColumn } from './document-rows.ts'
import { useRowsInSight } from './use-rows-in-sight.ts'

interface DocumentTableProps {
  tenant: string
  type: string
  rows: readonly DocumentRow[]
  /** Whether these are all that there are. */
  complete: boolean
  sort: Sort
  onSort: (sort: Sort) => void
  /** Called when the reader comes near the last row. */
  onEndNear: (() => void) | undefined
}

const columns: readonly { column: SortColumn | 'latest' | 'type'; title: string }[] = [
  { column: 'name', title: 'Name' },
  { column: 'latest', title: 'Latest' },
  { column: 'type', title: 'Content type' },
  { column: 'size', title: 'Size' },
  { column: 'uploaded', title: 'Uploaded' },
]

/** All rows of the same height, so that nothing has to be measured; the style sheet has the same number. */
const rowPixels = 44
const rowsBeforeEnd = 30

/**
 * A table of which only the rows in sight are in the page, between two empty ones that keep its height. Its rows
 * say which ones they are (ARIA, `aria-rowindex`).
 */
export function DocumentTable(props: DocumentTableProps) {
  const { tenant, type, rows, complete, sort, onSort, onEndNear } = props
  const body = useRef<HTMLTableSectionElement>(null)
  const { first, end } = useRowsInSight(body, rows.length, rowPixels)
  useEffect(() => {
    if (end >= rows.length - rowsBeforeEnd) onEndNear?.()
  }, [end, rows.length, onEndNear])
  return (
    <table className="documents" aria-label="Documents" aria-rowcount={complete ? rows.length + 1 : -1}>
      <thead>
        <tr aria-rowindex={1}>
          {columns.map(({ column, title }) =>
            column === 'latest' || column === 'type' ? (
              <th key={column} scope="col" className={`column-${column}`}>
                {title}
              </th>
            ) : (
              <SortHeader key={column} column={column} title={title} sort={sort} onSort={onSort} />
            ),
          )}
        </tr>
      </thead>
      <tbody ref={body}>
        <Gap rows={first} />
        {rows.slice(first, end).map((row, index) => (
          <Row key={row.name} tenant={tenant} type={type} row={row} index={first + index} />
        ))}
        <Gap rows={rows.length - end} />
      </tbody>
    </table>
  )
}

function Gap({ rows }: { rows: number }) {
  if (rows <= 0) return null
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without a link or button cannot have the focus
    <tr aria-hidden="true" className="gap" style={{ height: rows * rowPixels }}>
      {/* No wider: where columns are hidden, their places would be kept. */}
      <td />
    </tr>
  )
}

interface SortHeaderProps extends Pick<DocumentTableProps, 'sort' | 'onSort'> {
  column: SortColumn
  title: string
}

function SortHeader({ column, title, sort, onSort }: SortHeaderProps) {
  const active = sort.column === column
  const direction = sort.descending ? 'descending' : 'ascending'
  return (
    <th scope="col" className={`column-${column}`} aria-sort={active ? direction : 'none'}>
      <button
        type="button"
        onClick={() => onSort({ column, descending: active ? !sort.descending : column !== 'name' })}
      >
        {title}
        {active && <Icon name={sort.descending ? 'arrowDown' : 'arrowUp'} />}
      </button>
    </th>
  )
}

interface RowProps extends Pick<DocumentTableProps, 'tenant' | 'type'> {
  row: DocumentRow
  index: number
}

const Row = memo(function Row({ tenant, type, row, index }: RowProps) {
  const { name, digest, contentType, size, uploadedAt } = row
  return (
    // The heading row is the first.
    <tr aria-rowindex={index + 2}>
      <td className="column-name">
        <Link href={documentPath(tenant, type, name)} id={`document-${name}`} title={name}>
          {name}
        </Link>
      </td>
      <td className="column-latest">
        <Digest digest={digest} />
      </td>
      <td className="column-type" title={contentType}>
        {contentType}
      </td>
      <td className="column-size">{byteSize(size)}</td>
      <td className="column-uploaded">
        <Time value={uploadedAt} />
      </td>
    </tr>
  )
})
