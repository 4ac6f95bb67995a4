import { describe, expect, it } from 'bun:test'
import { parseRequest } from '../../../../../observability/proof/flags.ts'
import { checksOf } from '../../../../../observability/proof/plan.ts'

const idsFor = (...argv: string[]) => checksOf(parseRequest(argv)).map(({ id }) => id)

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
