import type { ListedVersion } from '../../wire/answers.ts'
import { formatBytes, type Report } from '../output.ts'

/** What became of a version that the rule no longer keeps. */
export type Outcome =
  /** A dry run: it would be removed. */
  | 'would-remove'
  | 'removed'
  /** The API would answer 409: the store keeps it (object lock), or a tag points to it by now. */
  | 'locked'
  | 'tagged'
  /** Another caller removed it first. */
  | 'gone'
  | 'failed'

/** A version that no rule keeps, and what became of it. */
export interface Retained {
  version: ListedVersion
  fate: Outcome
  /** Why, where the outcome does not say it. */
  why?: string
}

/** What a run did, or would do. */
export interface RetainTotals {
  applied: boolean
  versions: Record<Outcome, number>
  bytes: number
}

const words: Record<Outcome, string> = {
  'would-remove': '~ would remove',
  removed: '✓ removed',
  locked: '- locked, stays:',
  tagged: '- tagged, stays:',
  gone: '- already gone:',
  failed: '✗ not removed:',
}

/** Prints what became of a version. */
export function reportRetained(report: Report, { version, ...outcome }: Retained): Promise<void> {
  const { tenant, type, name, digest, size, storedAt } = version
  const what = `${tenant} ${type}/${name} ${digest} (${formatBytes(size)}, stored ${storedAt})`
  const why = outcome.why === undefined ? '' : `: ${outcome.why}`
  return report({ event: 'version', ...version, ...outcome }, `${words[outcome.fate]} ${what}${why}`)
}

/** Prints the totals, also those of a run that was stopped. */
export function reportTotals(report: Report, totals: RetainTotals): Promise<void> {
  const { applied, versions, bytes } = totals
  const { removed, locked, tagged, failed } = versions
  const count = applied ? removed : versions['would-remove']
  const done = `${count} versions, ${formatBytes(bytes)} ${applied ? 'removed' : 'would be removed'}`
  const stay = `${locked} locked, ${tagged} tagged, ${failed} failed`
  const line = `${failed === 0 ? '✓' : '✗'} ${done}; ${stay}${applied ? '' : '; --apply does it'}`
  return report({ event: 'summary', ...totals }, line)
}
