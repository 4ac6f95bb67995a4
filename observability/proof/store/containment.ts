import type { KeyForm } from '../formats/loki-keys.ts'
import type { Listing } from './bucket-listing.ts'

/** A prefix and who may write below it. */
export interface Territory {
  /** Ends with a slash. */
  prefix: string
  /** What may lie there; `null`: anything, it is not this proof's to judge. */
  forms: readonly KeyForm[] | null
}

/** How many keys there are of each form, and those that should not be where they are. */
export interface Containment {
  counts: Record<string, number>
  /** Of others, in their own territory. */
  foreign: number
  /** Outside of every territory. */
  outside: string[]
  /** Within ours, and of no form that is known. */
  unknown: string[]
}

/** Sorts keys by where they lie and what they look like. */
export function contain(keys: readonly string[], territories: readonly Territory[]): Containment {
  const result: Containment = { counts: {}, foreign: 0, outside: [], unknown: [] }
  for (const key of keys) {
    const territory = territories.find(({ prefix }) => key.startsWith(prefix))
    if (territory === undefined) result.outside.push(key)
    else if (territory.forms === null) result.foreign += 1
    else {
      const name = formOf(key.slice(territory.prefix.length), territory.forms)
      if (name === null) result.unknown.push(key)
      else result.counts[name] = (result.counts[name] ?? 0) + 1
    }
  }
  return result
}

function formOf(key: string, forms: readonly KeyForm[]): string | null {
  return forms.find(({ form }) => form.test(key))?.name ?? null
}

/** `2 chunk, 1 index`, or `nothing`. */
export function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return parts.length === 0 ? 'nothing' : parts.join(', ')
}

/** Keys outside of every territory that were there before and are not as they were: gone, or other bytes. */
export function changedOutside(before: Listing, after: Listing, territories: readonly Territory[]): string[] {
  return [...before.values()]
    .filter(({ key }) => !territories.some(({ prefix }) => key.startsWith(prefix)))
    .filter(({ key, etag, size }) => {
      const now = after.get(key)
      return now === undefined || now.etag !== etag || now.size !== size
    })
    .map(({ key }) => key)
}
