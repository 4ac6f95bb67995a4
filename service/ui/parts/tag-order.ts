import { latestTag } from '../../wire/names.ts'

/** Compares names as people count: `v9` comes before `v10`. */
const names = new Intl.Collator('en', { numeric: true })

/** Compares two tags for a list: `latest`, which every document has, comes first, and the others by name. */
export function compareTags(a: string, b: string): number {
  return Number(b === latestTag) - Number(a === latestTag) || names.compare(a, b) || (a < b ? -1 : 1)
}

/**
 * Returns the tags to show where there is room for `count`, in their order. A name without a digit is likely one that
 * people deploy by, such as `production`, and is not left out for the numbers of releases.
 */
export function tagsToShow<T extends { tag: string }>(sorted: readonly T[], count: number): readonly T[] {
  if (sorted.length <= count) return sorted
  const hasDigit = ({ tag }: T) => Number(/\d/.test(tag))
  const kept = new Set(sorted.toSorted((a, b) => hasDigit(a) - hasDigit(b)).slice(0, count))
  return sorted.filter((tag) => kept.has(tag))
}
