import { describe, expect, it } from 'bun:test'
import { variables } from '../../../../service/config/variables.ts'
import { configTable } from '../../../tools/readme/config-table.ts'

describe('the configuration table', () => {
  it('has a row for every variable, and the file form of secrets', () => {
    const names = configTable()
      .split('\n')
      .slice(2)
      .map((row) => row.split(' | ')[0])
    expect(names).toHaveLength(Object.keys(variables).length)
    expect(names).toContain('| `S3_REGION`')
    expect(names).toContain('| `S3_SECRET_ACCESS_KEY`, `S3_SECRET_ACCESS_KEY_FILE`')
  })
})
