import type { Finding } from '../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, consequenceOf, probeRows } from '../../../service/object-store/probe/probe.ts'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { knownVerdicts, type StoreKind } from './store-findings.ts'

/** Returns what the probe finds on that store, for tests that need not wait for it. */
export function knownFindings(kind: StoreKind): Finding[] {
  const verdicts = knownVerdicts(kind)
  return probeRows.map((row) => {
    const { id, question, weight } = row
    const verdict = verdicts[id]
    return { id, question, weight, verdict, seen: '', consequence: consequenceOf(row, verdict) }
  })
}

/** Returns what follows from {@link knownFindings} for the service. */
export function knownCapabilities(kind: StoreKind): StoreCapabilities {
  return capabilitiesOf(knownFindings(kind))
}

export const minioCapabilities: StoreCapabilities = knownCapabilities('minio')
