import { isStoreOrder, type Sort, sortColumns, storeOrder } from './document-rows.ts'

/** What of a list is in its address, so that it can be linked to: `?prefix=…&contains=…&sort=-uploaded`. */
export interface ListQuery {
  /** Names that begin so are read, the others not. */
  prefix: string
  /** Words that a name has to contain; all names are searched for them. */
  contains: string
  sort: Sort
}

/** Reads the query of a list from `location.search`; unknown parameters are ignored. */
export function listQueryOf(search: string): ListQuery {
  const parameters = new URLSearchParams(search)
  return {
    prefix: parameters.get('prefix') ?? '',
    contains: parameters.get('contains') ?? '',
    sort: sortOf(parameters.get('sort') ?? ''),
  }
}

/** Returns `location.search` for a query, with its question mark; empty for the defaults. */
export function listSearch({ prefix, contains, sort }: ListQuery): string {
  const parameters = new URLSearchParams()
  if (prefix !== '') parameters.set('prefix', prefix)
  if (contains !== '') parameters.set('contains', contains)
  if (!isStoreOrder(sort)) parameters.set('sort', sortText(sort))
  return parameters.size === 0 ? '' : `?${parameters}`
}

function sortOf(text: string): Sort {
  const descending = text.startsWith('-')
  const column = sortColumns.find((one) => one === text.replace(/^-/, ''))
  return column ? { column, descending } : storeOrder
}

function sortText({ column, descending }: Sort): string {
  return descending ? `-${column}` : column
}
