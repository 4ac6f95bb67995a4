import type { ListedName } from '../../wire/answers.ts'

/** One document of a listing, with what its latest version is. */
export interface DocumentRow {
  name: string
  /** `sha256:…` */
  digest: string
  contentType: string
  size: number
  /** RFC 3339 */
  uploadedAt: string
}

/** Returns the rows of a listing, without documents that were deleted while it was made. */
export function documentRows(names: readonly ListedName[]): DocumentRow[] {
  return names.flatMap(({ name, latest }) => {
    if (!latest) return []
    const { digest, contentType, size, createdAt } = latest
    return [{ name, digest, contentType, size, uploadedAt: createdAt }]
  })
}

export const sortColumns = ['name', 'size', 'uploaded'] as const
export type SortColumn = (typeof sortColumns)[number]

export interface Sort {
  column: SortColumn
  descending: boolean
}

/** The order in which the store lists: sorting by it needs nothing more to be read. */
export const storeOrder: Sort = { column: 'name', descending: false }

/** Returns whether rows in this order can be shown as they are read. */
export function isStoreOrder({ column, descending }: Sort): boolean {
  return column === storeOrder.column && descending === storeOrder.descending
}

const comparisons: Record<SortColumn, (a: DocumentRow, b: DocumentRow) => number> = {
  name: (a, b) => compareTexts(a.name, b.name),
  size: (a, b) => a.size - b.size,
  uploaded: (a, b) => compareTexts(a.uploadedAt, b.uploadedAt),
}

/** Returns the rows in the order of `sort`, equal ones by name. */
export function sorted(rows: readonly DocumentRow[], sort: Sort): readonly DocumentRow[] {
  if (isStoreOrder(sort)) return rows
  const compare = comparisons[sort.column]
  return rows.toSorted(
    (a, b) => (sort.descending ? compare(b, a) : compare(a, b)) || compareTexts(a.name, b.name),
  )
}

/** By code unit; quicker than by the rules of a language. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
