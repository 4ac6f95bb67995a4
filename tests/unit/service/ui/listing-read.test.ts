import { describe, expect, it } from 'bun:test'
import type { ListedVersion } from '../../../../service/wire/answers.ts'
import { listedVersion as version } from '../../../support/ui/listed-version.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'

await openDom()
const { QueryClient } = await import('@tanstack/react-query')
const { addToListings, removeFromListings } = await import('../../../../service/ui/listing/use-listing.ts')

describe('a listing that was read', () => {
  const key = (prefix: string) => ['listing', 'acme', 'definitions', prefix]

  function read(prefix: string, ...pages: { rows: ListedVersion[]; nextCursor: string | null }[]) {
    const queries = new QueryClient()
    queries.setQueryData(key(prefix), { pages, pageParams: pages.map(() => undefined) })
    const names = () =>
      queries
        .getQueryData<{ pages: { rows: ListedVersion[] }[] }>(key(prefix))
        ?.pages.map(({ rows }) => rows.map(({ name }) => name))
    return { queries, names }
  }

  it('takes in a published version in the order of the store', () => {
    const { queries, names } = read(
      '',
      { rows: [version('a', '1'), version('d', '1')], nextCursor: 'x' },
      { rows: [version('e', '1')], nextCursor: null },
    )
    addToListings(queries, version('c', '1'))
    addToListings(queries, version('f', '1'))
    expect(names()).toEqual([
      ['a', 'c', 'd'],
      ['e', 'f'],
    ])
  })

  it('leaves out what lies on a page that was not read, what was there, and what begins otherwise', () => {
    const { queries, names } = read('a', { rows: [version('a', '1'), version('ab', '1')], nextCursor: 'x' })
    addToListings(queries, version('az', '1'))
    addToListings(queries, version('ab', '1'))
    addToListings(queries, version('b', '1'))
    expect(names()).toEqual([['a', 'ab']])
  })

  it('keeps what was published or deleted while another page of it was being read', async () => {
    const { queries, names } = read('', { rows: [version('a', '1'), version('d', '1')], nextCursor: 'x' })
    const { promise, resolve } = Promise.withResolvers<object>()
    const before = queries.getQueryData(key('')) as object
    const reading = queries.fetchQuery({ queryKey: key(''), queryFn: () => promise })
    addToListings(queries, version('b', '1'))
    removeFromListings(queries, version('d', '1'))
    expect(names()).toEqual([['a', 'b']])
    resolve(before)
    await reading
    await Bun.sleep(0)
    expect(names()).toEqual([['a', 'b']])
  })

  it('lets go of a deleted version', () => {
    const { queries, names } = read('', { rows: [version('a', '1'), version('a', '2')], nextCursor: null })
    removeFromListings(queries, version('a', '2'))
    removeFromListings(queries, version('z', '2'))
    expect(names()).toEqual([['a']])
  })
})
