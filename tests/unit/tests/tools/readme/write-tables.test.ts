import { describe, expect, it } from 'bun:test'
import { dependencies, devDependencies } from '../../../../../package.json'
import { tableRows } from '../../../../tools/readme/markdown-table.ts'
import { generatedTables, readPage, withTable } from '../../../../tools/readme/write-tables.ts'

describe('the tables that bun run readme writes', () => {
  it('are in their pages as the code makes them', async () => {
    for (const table of generatedTables) {
      const document = await readPage(table)
      expect(withTable(document, table.name, table.make())).toBe(document)
    }
  })

  it('replace only what is between their marks', () => {
    const marked = (table: string) => `before\n<!-- x:begin -->\n${table}\n<!-- x:end -->\nafter\n`
    expect(withTable(marked('old'), 'x', 'new')).toBe(marked('new'))
  })

  it('are refused by a page without the two marks in their order', () => {
    expect(() => withTable('nothing here', 'x', 'new')).toThrow('has no <!-- x:begin -->')
    expect(() => withTable('<!-- x:end --><!-- x:begin -->', 'x', 'new')).toThrow('has no <!-- x:begin -->')
  })
})

describe('docs/dependencies.md', () => {
  it('has a reason for every package of package.json, and names no other', async () => {
    const page = await Bun.file(new URL('../../../../../docs/dependencies.md', import.meta.url)).text()
    const [, used = '', developed = ''] = page.split(/^## /m)
    expect(packagesIn(used)).toEqual(Object.keys(dependencies).toSorted())
    expect(packagesIn(developed)).toEqual(Object.keys(devDependencies).toSorted())
  })
})

/** Returns the packages in the first column of a table that give a reason in the second. */
function packagesIn(section: string): string[] {
  return tableRows(section)
    .filter(([, reason = '']) => reason !== '')
    .flatMap(([names = '']) => Array.from(names.matchAll(/`([^`]+)`/g), ([, name = '']) => name))
    .toSorted()
}
