import { describe, expect, it } from 'bun:test'
import { createRefusals } from '../../../../service/http/refusals.ts'
import { limits } from '../../../../service/limits.ts'
import { createLogger } from '../../../../service/telemetry/logger.ts'
import { until } from '../../../support/waiting.ts'

const one = { clientAddress: '192.0.2.1' }

function recording() {
  const lines: Record<string, unknown>[] = []
  let isFull = false
  const destination = {
    write(line: string) {
      if (isFull) throw new Error('disk full')
      lines.push(JSON.parse(line))
    },
  }
  const logger = createLogger({ level: 'info', service: 'documents', destination })
  const fill = (full: boolean) => {
    isFull = full
  }
  return { refusals: createRefusals(logger), lines, fill }
}

describe('refusals', () => {
  it('have a line of their own once per address without a valid token, and are counted by rule otherwise', () => {
    const { refusals, lines } = recording()
    const own = Array.from({ length: 1000 }, (_, i) =>
      refusals.isFirst(i % 4 === 3 ? 'token-invalid' : 'token-missing', one),
    )
    expect(own.filter((isFirst) => isFirst)).toHaveLength(1)
    expect(own[0]).toBe(true)
    expect(refusals.isFirst('token-missing', { clientAddress: '192.0.2.2' })).toBe(true)
    refusals.flush()
    expect(lines).toEqual([
      {
        time: expect.any(String),
        level: 'info',
        kind: 'audit',
        service: 'documents',
        event: 'access.refused',
        decision: 'denied',
        clientAddress: '192.0.2.1',
        since: expect.stringMatching(/Z$/),
        rules: { 'token-missing': 749, 'token-invalid': 250 },
      },
    ])
  })

  it('are counted by tenant and subject for requests with a token', () => {
    const { refusals, lines } = recording()
    const senders = [
      { tenant: 'acme', subject: 'alice' },
      { tenant: 'acme', subject: 'bob' },
      { tenant: 'globex', subject: 'alice' },
    ]
    for (const sender of [...senders, ...senders, ...senders]) refusals.isFirst('too_many_requests', sender)
    refusals.flush()
    const rules = { too_many_requests: 2 }
    expect(lines).toMatchObject(senders.map((sender) => ({ event: 'access.refused', ...sender, rules })))
  })

  it('leave a bounded number of lines, however many addresses send them', () => {
    const { refusals, lines } = recording()
    const addresses = Array.from({ length: 5000 }, (_, i) => `2001:db8::${i.toString(16)}`)
    const first = addresses.filter((clientAddress) => refusals.isFirst('token-missing', { clientAddress }))
    for (const clientAddress of addresses) refusals.isFirst('token-missing', { clientAddress })
    refusals.flush()
    expect(first).toHaveLength(limits.refusedSendersMax)
    expect(lines).toHaveLength(limits.refusedSendersMax + 1)
    const counted = lines.map(({ rules }) => (rules as Record<string, number>)['token-missing'] ?? 0)
    expect(first.length + counted.reduce((sum, count) => sum + count, 0)).toBe(10_000)
    expect(lines.at(-1)).not.toHaveProperty('clientAddress')
  })

  it('are written when their second is over, and the next one begins again', async () => {
    const { refusals, lines } = recording()
    expect(refusals.isFirst('token-missing', one)).toBe(true)
    expect(refusals.isFirst('token-missing', one)).toBe(false)
    await until(() => lines.length === 1)
    expect(refusals.isFirst('token-missing', one)).toBe(true)
    refusals.flush()
    expect(lines).toHaveLength(1)
  })

  it('stay counted while the audit cannot be written', () => {
    const { refusals, lines, fill } = recording()
    for (let i = 0; i < 3; i += 1) refusals.isFirst('token-missing', one)
    fill(true)
    refusals.flush()
    expect(refusals.isFirst('token-missing', one)).toBe(false)
    fill(false)
    refusals.flush()
    expect(lines).toMatchObject([{ clientAddress: '192.0.2.1', rules: { 'token-missing': 3 } }])
  })
})
