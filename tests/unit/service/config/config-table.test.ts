import { describe, expect, it } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { variables } from '../../../../service/config/variables.ts'
import { configTable, tableBegin, tableEnd, withConfigTable } from '../../../tools/readme/config-table.ts'

const readme = new URL('../../../../README.md', import.meta.url)

describe('the configuration table', () => {
  it('stands in the README as the code says (bun tests/tools/readme/config-table.ts --write README.md)', async () => {
    const document = await readFile(readme, 'utf8')
    expect(withConfigTable(document)).toBe(document)
  })

  it('has a row for every variable, and the file form of secrets', () => {
    const names = configTable()
      .split('\n')
      .slice(2)
      .map((row) => row.split(' | ')[0])
    expect(names).toHaveLength(Object.keys(variables).length)
    expect(names).toContain('| `S3_REGION`')
    expect(names).toContain('| `S3_SECRET_ACCESS_KEY`, `S3_SECRET_ACCESS_KEY_FILE`')
  })

  it('replaces only what is between the marks', () => {
    const document = `before\n${tableBegin}\nold\n${tableEnd}\nafter\n`
    expect(withConfigTable(document)).toBe(`before\n${tableBegin}\n${configTable()}\n${tableEnd}\nafter\n`)
  })

  it('refuses a document without the marks', () => {
    expect(() => withConfigTable('nothing here')).toThrow('has no <!-- config:begin -->')
    expect(() => withConfigTable(`${tableEnd}${tableBegin}`)).toThrow('has no <!-- config:begin -->')
  })
})
