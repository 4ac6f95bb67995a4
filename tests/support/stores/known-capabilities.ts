import type { Finding } from '../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, consequenceOf } from '../../../service/object-store/probe/probe.ts'
import { probeRows } from '../../../service/object-store/probe/rows.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { knownVerdicts, type StoreKind } from './store-findings.ts'

/** What the probe finds on that store, for tests that do not want to wait for it. */
export function knownFindings(kind: StoreKind): Finding[] {
  const verdicts = knownVerdicts(kind)
  return probeRows.map((row) => {
    const { id, question, weight } = row
    const verdict = verdicts[id]
    return { id, question, weight, verdict, seen: '', consequence: consequenceOf(row, verdict) }
  })
}

export function knownCapabilities(kind: StoreKind): StoreCapabilities {
  return capabilitiesOf(knownFindings(kind))
}

export const minioCapabilities: StoreCapabilities = knownCapabilities('minio')
