import { limits } from '../../limits.ts'
import type { ListPage } from '../object-store.ts'
import { parseListPage } from '../s3/answers.ts'
import type { ProbeAnswer } from '../s3/probe-client.ts'
import { accepted, judgeOne, type Observation, type ProbeRow } from './finding.ts'
import type { Scratch } from './scratch.ts'

/**
 * Folders whose names begin alike, in the order of their keys. MinIO walks through the first two before it comes to the
 * last one, and in a bucket without lifecycle rules it counts what it walked through: with five keys in each, a page of
 * one key behind the first key of `a/` is empty.
 */
const folders = ['a-b', 'a.b', 'a']
const keysPerFolder = 5

/** Are listings complete? */
export const listingRows: readonly ProbeRow[] = [
  {
    id: 'list',
    question: 'Does a listing continue where its last page ended?',
    weight: 'essential',
    whenYes: 'listings and their pages are complete',
    whenNo: 'listings would repeat or lose documents: this store cannot be used',
    whenUnknown: 'not known',
    async ask(scratch) {
      const keys = await putAlike(scratch, 'list')
      const listed: string[] = []
      let begin: Record<string, string> = {}
      // One more than there are, for a store that never ends.
      for (let pages = 0; pages <= keys.length + limits.emptyListPagesMax; pages += 1) {
        const answer = await listOne(scratch, 'list', begin)
        const page = pageOf(answer)
        if (page === null) return unusable(answer)
        listed.push(...page.objects.map(({ key }) => key))
        if (page.next === null) return sameKeys(listed, keys)
        begin = { 'continuation-token': page.next }
      }
      return { verdict: 'no', seen: 'pages without an end' }
    },
  },
  {
    id: 'list-after',
    question: 'Is a listing complete that begins after a key, also where names begin alike?',
    weight: 'note',
    security: true,
    whenYes: 'a listing continues after any time, for one call per page',
    whenNo:
      'a page that is asked for after half a minute costs a listing from the start; on MinIO, a lifecycle rule in the bucket changes that',
    async ask(scratch) {
      await putAlike(scratch, 'list-after')
      const whole = await list(scratch, 'list-after', {})
      const keys = pageOf(whole)?.objects.map(({ key }) => key)
      if (keys === undefined) return unusable(whole)
      for (const [at, key] of keys.entries()) {
        const answer = await listOne(scratch, 'list-after', { 'start-after': key })
        const page = pageOf(answer)
        if (page === null) return unusable(answer)
        if (page.objects[0]?.key !== keys[at + 1])
          return { verdict: 'no', seen: 'another key than the next one' }
      }
      return { verdict: 'yes', seen: 'the next key, after each one' }
    },
  },
]

async function putAlike(scratch: Scratch, row: string): Promise<string[]> {
  const names = folders.flatMap((folder) =>
    Array.from({ length: keysPerFolder }, (_, at) => `${folder}/${at}`),
  )
  const keys = names.map((name) => scratch.key(`${row}/${name}`))
  await Promise.all(keys.map((key) => scratch.put(key, key)))
  return keys
}

function list(scratch: Scratch, row: string, query: Record<string, string>): Promise<ProbeAnswer> {
  const prefix = `${scratch.scratchPrefix}${row}/`
  const begin = { 'list-type': '2', 'encoding-type': 'url', prefix }
  return scratch.client.send({ method: 'GET', key: null, query: { ...begin, ...query } })
}

function listOne(scratch: Scratch, row: string, query: Record<string, string>): Promise<ProbeAnswer> {
  return list(scratch, row, { ...query, 'max-keys': '1' })
}

/** Returns `null` for an answer that is no page. */
function pageOf(answer: ProbeAnswer): ListPage | null {
  if (!accepted(answer)) return null
  try {
    return parseListPage(answer.text)
  } catch {
    return null
  }
}

function unusable(answer: ProbeAnswer): Observation {
  return accepted(answer) ? { verdict: 'no', seen: 'no list of keys' } : judgeOne(answer)
}

/** Stores order keys by their bytes, or folder by folder: here it only counts that each one is there once. */
function sameKeys(listed: readonly string[], keys: readonly string[]): Observation {
  const isWhole = Bun.deepEquals(listed.toSorted(), keys.toSorted())
  return { verdict: isWhole ? 'yes' : 'no', seen: isWhole ? 'every key once' : 'other keys than there are' }
}
