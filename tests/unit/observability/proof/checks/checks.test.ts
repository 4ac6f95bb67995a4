import { describe, expect, it } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { parseRequest } from '../../../../../observability/proof/flags.ts'
import { checksOf } from '../../../../../observability/proof/plan.ts'
import { checkTable, tableBegin, tableEnd, withCheckTable } from '../../../../tools/readme/check-table.ts'

const readme = new URL('../../../../../observability/proof/README.md', import.meta.url)
const idsFor = (...argv: string[]) => checksOf(parseRequest(argv)).map(({ id }) => id)

describe('the table of checks', () => {
  it('stands in observability/proof/README.md (bun tests/tools/readme/check-table.ts --write …)', async () => {
    const document = await readFile(readme, 'utf8')
    expect(withCheckTable(document)).toBe(document)
  })

  it('replaces only what is between the marks, and refuses a document without them', () => {
    expect(withCheckTable(`before\n${tableBegin}\nold\n${tableEnd}\nafter\n`)).toBe(
      `before\n${tableBegin}\n${checkTable()}\n${tableEnd}\nafter\n`,
    )
    expect(() => withCheckTable('nothing here')).toThrow('has no <!-- checks:begin -->')
  })
})

describe('what is asked', () => {
  it('is landing, objects, containment, reading back, the join and refusals by default', () => {
    const ids = idsFor()
    expect(ids).toContain('loki.containment')
    expect(ids).toContain('tempo.wrong-secret')
    expect(ids).toContain('join.trace-to-log')
    expect(ids.filter((id) => /outage|retention|delete/.test(id))).toEqual([])
  })

  it('is also outage, retention and deletion with --all', () => {
    expect(idsFor('--all').filter((id) => !idsFor().includes(id))).toEqual([
      'loki.outage',
      'loki.retention',
      'loki.delete',
      'tempo.outage',
      'tempo.retention',
    ])
  })

  it('is what can be seen from outside with --against, and starts or stops nothing', () => {
    expect(idsFor('--against', 'loki=http://127.0.0.1:3100')).toEqual([
      'loki.reach',
      'loki.landing',
      'loki.objects',
      'loki.query',
      'loki.containment',
    ])
  })

  it('is no join where there is one server only', () => {
    expect(idsFor('tempo').filter((id) => !id.startsWith('tempo.'))).toEqual([])
  })
})
