import type { KeyForm } from '../formats/loki-keys.ts'
import type { Listing } from './objects.ts'

/** A prefix and who may write below it. */
export interface KeyRange {
  /** Ends with a slash. */
  prefix: string
  /** Forms of keys that may lie there; `null`: any, since this proof does not judge it. */
  forms: readonly KeyForm[] | null
}

/** How many keys there are of each form, and those that should not be where they are. */
export interface Containment {
  counts: Record<string, number>
  /** Number of keys of others, in their own ranges. */
  foreign: number
  /** Keys outside every range. */
  outside: string[]
  /** Keys in the proof's own ranges, of no form that is known. */
  unknown: string[]
}

/** Sorts keys by where they lie and what they look like. */
export function contain(keys: readonly string[], ranges: readonly KeyRange[]): Containment {
  const result: Containment = { counts: {}, foreign: 0, outside: [], unknown: [] }
  for (const key of keys) {
    const range = ranges.find(({ prefix }) => key.startsWith(prefix))
    if (range === undefined) result.outside.push(key)
    else if (range.forms === null) result.foreign += 1
    else {
      const rest = key.slice(range.prefix.length)
      const name = range.forms.find(({ form }) => form.test(rest))?.name
      if (name === undefined) result.unknown.push(key)
      else result.counts[name] = (result.counts[name] ?? 0) + 1
    }
  }
  return result
}

/** Returns counts in words: `2 chunk, 1 index`, or `nothing`. */
export function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

/** Returns the keys outside every range that were there before and are gone or have other bytes. */
export function changedOutside(before: Listing, after: Listing, ranges: readonly KeyRange[]): string[] {
  return [...before.values()]
    .filter(({ key }) => !ranges.some(({ prefix }) => key.startsWith(prefix)))
    .filter(({ key, etag, size }) => {
      const now = after.get(key)
      return now === undefined || now.etag !== etag || now.size !== size
    })
    .map(({ key }) => key)
}
