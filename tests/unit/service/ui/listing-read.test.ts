import { describe, expect, it } from 'bun:test'
import type { ListedName } from '../../../../service/wire/answers.ts'
import { listedName as named } from '../../../support/ui/listed-name.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'

await openDom()
const { QueryClient } = await import('@tanstack/react-query')
const { putInListings, removeFromListings } = await import('../../../../service/ui/listing/use-listing.ts')

describe('a listing that was read', () => {
  const key = (prefix: string) => ['listing', 'acme', 'definitions', prefix]

  function read(prefix: string, ...pages: { rows: ListedName[]; nextCursor: string | null }[]) {
    const queries = new QueryClient()
    queries.setQueryData(key(prefix), { pages, pageParams: pages.map(() => undefined) })
    const rows = () =>
      queries.getQueryData<{ pages: { rows: ListedName[] }[] }>(key(prefix))?.pages.map((page) => page.rows)
    const names = () => rows()?.map((page) => page.map(({ name }) => name))
    return { queries, rows, names }
  }

  it('takes in a published document in the order of the store', () => {
    const { queries, names } = read(
      '',
      { rows: [named('a'), named('d')], nextCursor: 'x' },
      { rows: [named('e')], nextCursor: null },
    )
    putInListings(queries, named('c').latest)
    putInListings(queries, named('a-b').latest)
    putInListings(queries, named('f').latest)
    expect(names()).toEqual([
      ['a-b', 'a', 'c', 'd'],
      ['e', 'f'],
    ])
  })

  it('shows the latest version of a document that it has', () => {
    const { queries, rows } = read('', { rows: [named('a'), named('b')], nextCursor: null })
    putInListings(queries, named('b', { size: 7 }).latest)
    expect(rows()?.[0]?.map(({ name, latest }) => [name, latest?.size])).toEqual([
      ['a', 1],
      ['b', 7],
    ])
  })

  it('leaves out what lies on a page that was not read, and what begins otherwise', () => {
    const { queries, names } = read('a', { rows: [named('a'), named('ab')], nextCursor: 'x' })
    putInListings(queries, named('az').latest)
    putInListings(queries, named('b').latest)
    expect(names()).toEqual([['a', 'ab']])
  })

  it('keeps what was published or deleted while another page of it was being read', async () => {
    const { queries, names } = read('', { rows: [named('a'), named('d')], nextCursor: 'x' })
    const { promise, resolve } = Promise.withResolvers<object>()
    const before = queries.getQueryData(key('')) as object
    const reading = queries.fetchQuery({ queryKey: key(''), queryFn: () => promise })
    putInListings(queries, named('b').latest)
    removeFromListings(queries, named('d'))
    expect(names()).toEqual([['a', 'b']])
    resolve(before)
    await reading
    await Bun.sleep(0)
    expect(names()).toEqual([['a', 'b']])
  })

  it('lets go of a deleted document', () => {
    const { queries, names } = read('', { rows: [named('a'), named('b')], nextCursor: null })
    removeFromListings(queries, named('a'))
    removeFromListings(queries, named('z'))
    expect(names()).toEqual([['b']])
  })
})
