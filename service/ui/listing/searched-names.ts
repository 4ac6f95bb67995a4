import { counted } from './load-rest.tsx'

/** Returns the names that contain all words, in any case. */
export function containing(names: readonly string[], text: string): readonly string[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return names.filter((name) => {
    const lower = name.toLowerCase()
    return words.every((word) => lower.includes(word))
  })
}

interface Searched {
  found: number
  read: number
  /** Whether all names were searched. */
  isComplete: boolean
  prefix: string
  words: string
}

/** Returns what was searched and how much of it was found, as a sentence without its end. */
export function searchedOf({ found, read, isComplete, prefix, words }: Searched): string {
  const searched = isComplete ? `all ${counted(read)} names` : `the first ${counted(read)} names`
  const begin = prefix === '' ? '' : ` that begin with “${prefix}”`
  return `${counted(found)} of ${searched}${begin} contain “${words.trim()}”`
}
