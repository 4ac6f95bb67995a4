import { describe, expect, it } from 'bun:test'
import { probeRows } from '../../../../service/object-store/probe/probe.ts'
import { storeTable } from '../../../tools/readme/store-table.ts'

describe('the table of stores', () => {
  it('has a row for every question, and marks what a store cannot do', () => {
    const rows = storeTable().split('\n').slice(2)
    expect(rows.slice(0, probeRows.length).map((row) => row.split(' | ')[1])).toEqual(
      probeRows.map(({ question }) => question),
    )
    expect(rows.find((row) => row.startsWith('| `copy-once`'))).toContain('| ✓ | ✗ | ✗ |')
    expect(rows).toContain('| **tickets** |  | POST | POST | PUT |  |')
  })
})
