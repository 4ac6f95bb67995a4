import type { Finding, FindingId } from './probe/finding.ts'
import { capabilitiesOf } from './probe/probe.ts'
import { nothingKnown, type StoreCapabilities } from './store-capabilities.ts'

/** What is known of the store, kept up to date while the service runs. */
export interface CapabilityWatch {
  /** What is known now; each row counts as soon as it was answered. */
  current(): StoreCapabilities
  stop(): void
}

export interface CapabilityWatchOptions {
  /** Asks the store, and reports each finding as soon as it is known. */
  probe(onFinding: (finding: Finding) => void): Promise<unknown>
  intervalSeconds: number
  /** How soon to ask again while a row stays open; twice as long each time, up to the interval. */
  retrySeconds: number
  /** Called after each round with what it found. */
  onRound(capabilities: StoreCapabilities, findings: readonly Finding[]): void
}

/**
 * Asks at once and then regularly. A row that a later round does not answer stops counting: the store may have been
 * replaced. If the probe itself fails, nothing counts.
 */
export function watchCapabilities(options: CapabilityWatchOptions): CapabilityWatch {
  const { probe, intervalSeconds, retrySeconds, onRound } = options
  let known: Finding[] = []
  let capabilities = nothingKnown
  let openRounds = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  function learn(findings: Finding[]): void {
    known = findings
    capabilities = capabilitiesOf(known)
  }

  async function round(): Promise<void> {
    const findings = new Map<FindingId, Finding>()
    const take = (finding: Finding) => {
      findings.set(finding.id, finding)
      learn([...known.filter(({ id }) => id !== finding.id), finding])
    }
    await probe(take).catch(() => findings.clear())
    learn([...findings.values()])
    if (stopped) return
    openRounds = isOpen(known) ? openRounds + 1 : 0
    timer = setTimeout(round, secondsUntilNext() * 1000)
    onRound(capabilities, known)
  }

  function secondsUntilNext(): number {
    if (openRounds === 0) return intervalSeconds
    return Math.min(retrySeconds * 2 ** (openRounds - 1), intervalSeconds)
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

/** True if nothing was found, or a row is unknown. */
function isOpen(findings: readonly Finding[]): boolean {
  return findings.length === 0 || findings.some(({ verdict }) => verdict === 'unknown')
}
