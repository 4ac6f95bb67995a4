import { describe, expect, it } from 'bun:test'
import { documentRows, filtered, sorted, storeOrder } from '../../../../service/ui/listing/document-rows.ts'
import { rowsInSight } from '../../../../service/ui/listing/use-rows-in-sight.ts'
import { listedVersion as version } from '../../../support/ui/listed-version.ts'

describe('documentRows', () => {
  it('groups neighbouring versions, with size and time of the one stored last', () => {
    const rows = documentRows(
      [
        version('a', '1', { size: 10, storedAt: '2026-11-25T12:00:00Z' }),
        version('a', '2', { size: 20, storedAt: '2026-11-25T11:00:00Z' }),
        version('b', '1', { size: 30 }),
      ],
      true,
    )
    expect(rows).toEqual([
      { name: 'a', versionsRead: 2, mayHaveMore: false, size: 10, storedAt: '2026-11-25T12:00:00Z' },
      { name: 'b', versionsRead: 1, mayHaveMore: false, size: 30, storedAt: '2026-11-25T10:00:00Z' },
    ])
  })

  it('knows that the last one may continue on the next page', () => {
    const rows = documentRows([version('a', '1'), version('b', '1')], false)
    expect(rows.map(({ mayHaveMore }) => mayHaveMore)).toEqual([false, true])
  })

  it('is empty where nothing was read', () => {
    expect(documentRows([], false)).toEqual([])
  })
})

describe('sorted', () => {
  const rows = documentRows(
    [version('a', '1', { size: 5 }), version('b', '1', { size: 9 }), version('c', '1', { size: 5 })],
    true,
  )
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

describe('filtered', () => {
  const rows = documentRows([version('Orders-API.tgz', '1'), version('billing.tgz', '1')], true)

  it('finds names with all the words in them, whatever their case', () => {
    expect(filtered(rows, ' api ORDERS').map(({ name }) => name)).toEqual(['Orders-API.tgz'])
    expect(filtered(rows, 'zeta')).toEqual([])
  })

  it('is everything without a word', () => {
    expect(filtered(rows, '  ')).toBe(rows)
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
