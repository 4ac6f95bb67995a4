import type { ListedVersion } from '../../wire/answers.ts'

/** One document of a listing, from its versions that were read. */
export interface DocumentRow {
  name: string
  versionsRead: number
  /** More versions of it may be on the next page. */
  mayHaveMore: boolean
  /** Of the version that was stored last, among those read. */
  size: number
  /** RFC 3339 */
  storedAt: string
}

/** Groups neighbouring versions of one name into a row: a listing is in the order of the keys, type/name/digest. */
export function documentRows(versions: readonly ListedVersion[], complete: boolean): DocumentRow[] {
  const rows: DocumentRow[] = []
  let row: DocumentRow | undefined
  for (const { name, size, storedAt } of versions) {
    if (row?.name !== name) {
      row = { name, versionsRead: 0, mayHaveMore: false, size, storedAt }
      rows.push(row)
    }
    row.versionsRead++
    if (storedAt > row.storedAt) {
      row.size = size
      row.storedAt = storedAt
    }
  }
  if (row && !complete) row.mayHaveMore = true
  return rows
}

export const sortColumns = ['name', 'versions', 'size', 'stored'] as const
export type SortColumn = (typeof sortColumns)[number]

export interface Sort {
  column: SortColumn
  descending: boolean
}

/** The order in which the store lists: sorting by it needs nothing more to be read. */
export const storeOrder: Sort = { column: 'name', descending: false }

const comparisons: Record<SortColumn, (a: DocumentRow, b: DocumentRow) => number> = {
  name: (a, b) => compareTexts(a.name, b.name),
  versions: (a, b) => a.versionsRead - b.versionsRead,
  size: (a, b) => a.size - b.size,
  stored: (a, b) => compareTexts(a.storedAt, b.storedAt),
}

/** Returns the rows in the order of `sort`, equal ones by name. */
export function sorted(rows: readonly DocumentRow[], { column, descending }: Sort): readonly DocumentRow[] {
  if (column === 'name' && !descending) return rows
  const compare = comparisons[column]
  return rows.toSorted((a, b) => (descending ? compare(b, a) : compare(a, b)) || compareTexts(a.name, b.name))
}

/** Returns the rows whose name contains all words of the filter, in any case. */
export function filtered(rows: readonly DocumentRow[], filter: string): readonly DocumentRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return rows
  return rows.filter(({ name }) => {
    const text = name.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** By code unit, as the store orders its keys; quicker than by the rules of a language. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
