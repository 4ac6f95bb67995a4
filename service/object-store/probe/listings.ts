import { limits } from '../../limits.ts'
import type { ListPage, PrefixPage } from '../object-store.ts'
import { parseListPage, parsePrefixPage } from '../s3/answers.ts'
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
      const ofPage = (page: ListPage) => page.objects.map(({ key }) => key)
      return visitAll(scratch, 'list', { parse: parseListPage, rowsOf: ofPage, expected: keys, what: 'key' })
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
      const keys = pageOf(whole, parseListPage)?.objects.map(({ key }) => key)
      if (keys === undefined) return unusable(whole)
      for (const [at, key] of keys.entries()) {
        const answer = await listOne(scratch, 'list-after', { 'start-after': key })
        const page = pageOf(answer, parseListPage)
        if (page === null) return unusable(answer)
        if (page.objects[0]?.key !== keys[at + 1])
          return { verdict: 'no', seen: 'another key than the next one' }
      }
      return { verdict: 'yes', seen: 'the next key, after each one' }
    },
  },
  {
    id: 'list-folders',
    question: 'Does a listing with a delimiter name each folder once, also page by page?',
    weight: 'limit',
    whenYes:
      'types, and the documents of a type, are listed for one call per page, however many versions there are',
    whenNo: 'lists of types and of names would repeat or lose some: list versions instead',
    async ask(scratch) {
      await putAlike(scratch, 'list-folders')
      const expected = folders.map((folder) => `${scratch.scratchPrefix}list-folders/${folder}/`)
      const rowsOf = (page: PrefixPage) => page.prefixes
      const form = { parse: parsePrefixPage, rowsOf, expected, what: 'folder', query: { delimiter: '/' } }
      return visitAll(scratch, 'list-folders', form)
    },
  },
]

/** What a listing is read as, and what it should name. */
interface ListingForm<Page> {
  parse(text: string): Page
  rowsOf(page: Page): string[]
  expected: readonly string[]
  /** One row in words. */
  what: string
  query?: Record<string, string>
}

/** Visits a listing in pages of one row, each continuing by the token of the one before. */
async function visitAll<Page extends { next: string | null }>(
  scratch: Scratch,
  row: string,
  { parse, rowsOf, expected, what, query }: ListingForm<Page>,
): Promise<Observation> {
  const listed: string[] = []
  let begin: Record<string, string> = {}
  // More than there are, for a store that never ends.
  for (let pages = 0; pages <= expected.length + limits.emptyListPagesMax; pages += 1) {
    const answer = await listOne(scratch, row, { ...query, ...begin })
    const page = pageOf(answer, parse)
    if (page === null) return unusable(answer)
    listed.push(...rowsOf(page))
    if (page.next === null) return same(listed, expected, what)
    begin = { 'continuation-token': page.next }
  }
  return { verdict: 'no', seen: 'pages without an end' }
}

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
function pageOf<Page>(answer: ProbeAnswer, parse: (text: string) => Page): Page | null {
  if (!accepted(answer)) return null
  try {
    return parse(answer.text)
  } catch {
    return null
  }
}

function unusable(answer: ProbeAnswer): Observation {
  return accepted(answer) ? { verdict: 'no', seen: 'no list of keys' } : judgeOne(answer)
}

/** Stores order keys by their bytes, or folder by folder: here it only counts that each one is there once. */
function same(listed: readonly string[], expected: readonly string[], what: string): Observation {
  const isWhole = Bun.deepEquals(listed.toSorted(), expected.toSorted())
  return {
    verdict: isWhole ? 'yes' : 'no',
    seen: isWhole ? `every ${what} once` : `other ${what}s than there are`,
  }
}
