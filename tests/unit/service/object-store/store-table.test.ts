import { describe, expect, it } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { probeRows } from '../../../../service/object-store/probe/probe.ts'
import { storeTable, tableBegin, tableEnd, withStoreTable } from '../../../tools/readme/store-table.ts'

const readme = new URL('../../../../service/object-store/README.md', import.meta.url)

describe('the table of stores', () => {
  it('stands in service/object-store/README.md (bun tests/tools/readme/store-table.ts --write …)', async () => {
    const document = await readFile(readme, 'utf8')
    expect(withStoreTable(document)).toBe(document)
  })

  it('has a row for every question, and marks what a store cannot do', () => {
    const rows = storeTable().split('\n').slice(2)
    expect(rows.slice(0, probeRows.length).map((row) => row.split(' | ')[1])).toEqual(
      probeRows.map(({ question }) => question),
    )
    expect(rows.find((row) => row.startsWith('| `copy-pin`'))).toContain('| ✓ | ✗ | ✓ |')
    expect(rows).toContain('| **tickets** |  | POST | POST | PUT |  |')
  })

  it('replaces only what is between the marks, and refuses a document without them', () => {
    expect(withStoreTable(`before\n${tableBegin}\nold\n${tableEnd}\nafter\n`)).toBe(
      `before\n${tableBegin}\n${storeTable()}\n${tableEnd}\nafter\n`,
    )
    expect(() => withStoreTable('nothing here')).toThrow('has no <!-- stores:begin -->')
  })
})
