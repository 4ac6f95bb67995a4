import { describe, expect, it } from 'bun:test'
import { probeRows } from '../../../service/object-store/probe/probe.ts'
import { ownChildService } from '../../support/service/own-service.ts'
import { KiB, randomDocument } from '../../support/service/sample-documents.ts'
import type { LogLine } from '../../support/service/service-for-tests.ts'
import { ticketCalls } from '../../support/service/ticket-calls.ts'
import { knownCapabilities, knownFindings } from '../../support/stores/known-capabilities.ts'
import { until } from '../../support/waiting.ts'

const { service } = await ownChildService()

function probed(): Promise<LogLine> {
  return until(() => service.logs().find(({ event }) => event === 'store.probed'))
}

describe('the service at its start', () => {
  it('issues tickets by the method that the probe found safe', async () => {
    const line = await probed()
    const { kind } = service.connection
    expect(line).toMatchObject({ ...knownCapabilities(kind) })
    const ticket = await (await ticketCalls(service)).ticketFor('probed', randomDocument(KiB))
    expect(ticket.method).toBe(line.ticketMethod as 'POST' | 'PUT')
  })

  it('logs which method that is and why, and what was seen for each row that it relies on', async () => {
    const { why, copyHole, seen } = await probed()
    const isSeaweedfs = service.connection.kind === 'seaweedfs'
    expect(why).toStartWith(isSeaweedfs ? 'presigned PUT: ' : 'signed forms (POST policy): ')
    expect(copyHole).toBe(
      isSeaweedfs ? 'copy hole: absent → PUT tickets possible' : 'copy hole: present → PUT tickets are off',
    )
    const security = probeRows.filter((row) => row.security).map(({ id }) => id)
    expect(Object.keys(seen as object).sort()).toEqual(security.sort())
    const verdicts = Object.entries(seen as Record<string, string>).map(([id, text]) => [
      id,
      text.split(':')[0],
    ])
    const known = knownFindings(service.connection.kind).filter(({ id }) => security.includes(id))
    expect(Object.fromEntries(verdicts)).toEqual(
      Object.fromEntries(known.map(({ id, verdict }) => [id, verdict])),
    )
  })

  it('leaves nothing of the probe in staging', async () => {
    await probed()
    expect((await service.store.list({ prefix: 'staging/_probe/', limit: 10 })).objects).toEqual([])
  })
})
