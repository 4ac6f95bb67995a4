import { describe, expect, it } from 'bun:test'
import { documentRows, sorted, storeOrder } from '../../../../service/ui/listing/document-rows.ts'
import { shownOf } from '../../../../service/ui/listing/load-rest.tsx'
import { containing, searchedOf } from '../../../../service/ui/listing/searched-names.ts'
import { rowsInSight } from '../../../../service/ui/listing/use-rows-in-sight.ts'
import { listedName as named } from '../../../support/ui/listed-name.ts'

describe('documentRows', () => {
  it('shows what the latest version of each document is', () => {
    expect(documentRows([named('a', { size: 10 }), named('b', { contentType: 'text/plain' })])).toMatchObject(
      [
        { name: 'a', size: 10, uploadedAt: '2026-11-25T10:00:00Z' },
        { name: 'b', contentType: 'text/plain' },
      ],
    )
  })

  it('leaves out what was deleted while the page was made', () => {
    const gone = { tenant: 'acme', type: 'definitions', name: 'gone', latest: null }
    expect(documentRows([gone, named('b')]).map(({ name }) => name)).toEqual(['b'])
  })
})

describe('sorted', () => {
  const rows = documentRows([named('a', { size: 5 }), named('b', { size: 9 }), named('c', { size: 5 })])
  const names = (sort: Parameters<typeof sorted>[1]) => sorted(rows, sort).map(({ name }) => name)

  it('leaves the store its order', () => {
    expect(sorted(rows, storeOrder)).toBe(rows)
  })

  it('orders by a column, and what is equal by name', () => {
    expect(names({ column: 'size', descending: true })).toEqual(['b', 'a', 'c'])
    expect(names({ column: 'size', descending: false })).toEqual(['a', 'c', 'b'])
    expect(names({ column: 'name', descending: true })).toEqual(['c', 'b', 'a'])
  })
})

describe('shownOf', () => {
  it('says what of a list is shown', () => {
    expect(shownOf(1200, true, '')).toBe('All 1,200 documents')
    expect(shownOf(100, false, '')).toBe('The first 100 documents')
    expect(shownOf(3, true, 'al')).toBe('All 3 documents whose names begin with “al”')
    expect(shownOf(100, false, 'al')).toBe('The first 100 documents whose names begin with “al”')
  })

  it('is about one document where there is one', () => {
    expect(shownOf(1, true, '')).toBe('The only document')
    expect(shownOf(1, true, 'al')).toBe('The only document whose name begins with “al”')
  })
})

describe('containing', () => {
  it('finds names with all the words in them, whatever their case', () => {
    const names = ['Orders-API.tgz', 'billing.tgz']
    expect(containing(names, ' api ORDERS')).toEqual(['Orders-API.tgz'])
    expect(containing(names, 'zeta')).toEqual([])
  })
})

describe('searchedOf', () => {
  it('says what was searched, and how much of it was found', () => {
    const searched = { found: 3, read: 12_000, isComplete: false, prefix: '', words: ' api ' }
    expect(searchedOf(searched)).toBe('3 of the first 12,000 names contain “api”')
    expect(searchedOf({ ...searched, isComplete: true, prefix: 'o' })).toBe(
      '3 of all 12,000 names that begin with “o” contain “api”',
    )
  })
})

describe('rowsInSight', () => {
  it('begins at the top, with a margin below', () => {
    expect(rowsInSight(-300, 800, 40)).toEqual({ first: 0, end: 32 })
  })

  it('follows the window down a long list, with a bounded number of rows', () => {
    const { first, end } = rowsInSight(50_000 * 40, 800, 40)
    expect(first).toBeLessThanOrEqual(50_000)
    expect(end).toBeGreaterThanOrEqual(50_020)
    expect(end - first).toBeLessThan(80)
  })

  it('stays the same while less than its step is scrolled', () => {
    expect(rowsInSight(40_040, 800, 40)).toEqual(rowsInSight(40_000, 800, 40))
  })
})
