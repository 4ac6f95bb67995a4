import { capabilitiesOf } from './probe.ts'
import type { Finding, FindingId } from './probe-finding.ts'
import { nothingKnown, type StoreCapabilities } from './store-capabilities.ts'

/** Keeps what is known of the store up to date while the service runs. */
export interface CapabilityWatch {
  /** As known now; each row counts as soon as it was answered. */
  current(): StoreCapabilities
  stop(): void
}

export interface CapabilityWatchOptions {
  /** Asks the store, telling of each finding as it comes. */
  probe(onFinding: (finding: Finding) => void): Promise<unknown>
  intervalSeconds: number
  /** How soon to ask again where the store left something open. */
  retrySeconds: number
  /** Told after each round. */
  onRound(capabilities: StoreCapabilities, findings: readonly Finding[]): void
}

/**
 * Asks at once and then again and again. A row that is not answered in a later round stops counting: the store
 * may have become another one.
 */
export function watchCapabilities(options: CapabilityWatchOptions): CapabilityWatch {
  const known = new Map<FindingId, Finding>()
  let capabilities = nothingKnown
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  async function round(): Promise<void> {
    const findings: Finding[] = []
    await options
      .probe((finding) => {
        findings.push(finding)
        known.set(finding.id, finding)
        capabilities = capabilitiesOf([...known.values()])
      })
      .catch(() => known.clear())
    capabilities = capabilitiesOf([...known.values()])
    options.onRound(capabilities, findings)
    const open = capabilities.ticketMethod === 'unknown' || capabilities.conditionalOverwrite === 'unknown'
    const seconds = open ? options.retrySeconds : options.intervalSeconds
    if (!stopped) timer = setTimeout(round, seconds * 1000)
  }

  void round()
  return {
    current: () => capabilities,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
