import { describe, expect, it } from 'bun:test'
import type { FindingId } from '../../../service/object-store/probe/finding.ts'
import {
  capabilitiesOf,
  probeRows,
  probeStore,
  severityOf,
} from '../../../service/object-store/probe/probe.ts'
import { explainTickets } from '../../../service/object-store/probe/tickets.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { knownCapabilities, knownFindings } from '../../support/stores/known-capabilities.ts'
import { absentBucketStatus, prefix, useStore } from '../../support/stores/probe-under-test.ts'
import { knownVerdicts } from '../../support/stores/store-findings.ts'

const store = await useStore()
const reported: FindingId[] = []
const report = await probeStore(store, prefix, { onFinding: ({ id }) => reported.push(id) })

describe('probeStore on the store of this run', () => {
  it('finds what the table in service/object-store/README.md says of it', () => {
    const verdicts = Object.fromEntries(report.findings.map(({ id, verdict }) => [id, verdict]))
    expect(verdicts).toEqual(knownVerdicts(store.kind))
  })

  it('asks every row in order, and reports each as soon as it is known', () => {
    expect(report.findings.map(({ id }) => id)).toEqual(probeRows.map(({ id }) => id))
    expect(reported).toEqual(probeRows.map(({ id }) => id))
  })

  it('describes what it saw in the words of HTTP, and what follows', () => {
    const found = (id: FindingId) => report.findings.find((finding) => finding.id === id)
    expect(found('bucket')?.seen).toBe(`right: 200; absent bucket: ${absentBucketStatus(store)}`)
    for (const { seen, consequence } of report.findings) {
      expect(seen).not.toBe('')
      expect(consequence).not.toBe('')
    }
  })

  it('chooses forms or PUTs for tickets by what it saw, and never PUTs where the copy hole is', () => {
    expect(capabilitiesOf(report.findings)).toEqual(knownCapabilities(store.kind))
    expect(severityOf(report.findings)).toBe(severityOf(knownFindings(store.kind)))
    const { copyHole, copyHoleLine, method } = explainTickets(report.findings)
    const hasHole = store.kind !== 'seaweedfs'
    expect(copyHole).toBe(hasHole ? 'present' : 'absent')
    expect(copyHoleLine).toBe(
      hasHole ? 'copy hole: present → PUT tickets are off' : 'copy hole: absent → PUT tickets possible',
    )
    expect(method).toBe(hasHole ? 'POST' : 'PUT')
  })

  it('leaves nothing behind: no key and no unfinished upload', async () => {
    const bucket = createS3ObjectStore(store)
    expect(report.left).toEqual([])
    expect((await bucket.list({ prefix: '', limit: 10 })).objects).toEqual([])
    expect(await bucket.listUnfinished(`${prefix}staging/`)).toEqual([])
    bucket.close()
  })

  it('asks everything at the start that the service relies on, and comes to the same result', async () => {
    const { findings, left } = await probeStore(store, prefix, { securityOnly: true })
    expect(capabilitiesOf(findings)).toEqual(capabilitiesOf(report.findings))
    expect(findings.length).toBeLessThan(report.findings.length)
    expect(left).toEqual([])
  })

  it('asks nothing more when it is interrupted, and still removes its keys', async () => {
    const interruption = new AbortController()
    const { findings, left } = await probeStore(store, prefix, {
      signal: interruption.signal,
      onFinding: ({ id }) => id === 'list' && interruption.abort(),
    })
    const verdicts = new Map(findings.map(({ id, verdict, seen }) => [id, `${verdict}: ${seen}`]))
    expect(verdicts.get('list')).toStartWith('yes: ')
    expect(verdicts.get('copy-once')).toBe('unknown: not asked: interrupted')
    expect(left).toEqual([])
  })
})
