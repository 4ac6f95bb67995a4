import { type CheckResult, exitCodeOf } from '../../../service/cli/checks/check.ts'
import type { ServerName } from '../deployment.ts'

/** All that a run has found, as `--json` prints it and `report.json` keeps it. */
export interface Report {
  exitCode: 0 | 1 | 3
  verdict: 'proved' | 'failed' | 'not proved'
  /** RFC 3339. */
  startedAt: string
  seconds: number
  /** How the servers were run; `against`: they ran already. */
  deployment: 'native' | 'compose' | 'against'
  store: { endpoint: string }
  servers: Partial<Record<ServerName, { bucket: string; prefix: string; variants: readonly string[] }>>
  /** Folder with what was seen. */
  evidence: string
  checks: readonly CheckResult[]
  /** Keys of the run's own that would not go. */
  left: readonly string[]
}

const verdicts = { 0: 'proved', 1: 'failed', 3: 'not proved' } as const

export function reportOf(
  found: Omit<Report, 'exitCode' | 'verdict' | 'startedAt' | 'seconds'> & { started: Date },
): Report {
  const { started, ...rest } = found
  const exitCode = exitCodeOf(found.checks)
  const seconds = (Date.now() - started.getTime()) / 1000
  return { exitCode, verdict: verdicts[exitCode], startedAt: started.toISOString(), seconds, ...rest }
}
