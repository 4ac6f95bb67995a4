import type { ListedVersion } from '../../wire/answers.ts'
import { formatBytes, printJson, printLine } from '../output.ts'

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

export interface Retained {
  version: ListedVersion
  fate: Outcome
  /** Why, where the outcome does not say it. */
  why?: string
}

export interface RetainTotals {
  applied: boolean
  versions: Record<Outcome, number>
  bytes: number
}

/** What goes to standard output as well as the audit lines: sentences, or with `json` one object per line. */
export interface RetainReport {
  version(retained: Retained): Promise<void>
  summary(totals: RetainTotals): Promise<void>
}

/** Returns the report for people, or for machines where `json` is true. */
export function createRetainReport(json: boolean): RetainReport {
  return json ? jsonReport : textReport
}

const jsonReport: RetainReport = {
  version: ({ version, ...fate }) => printJson({ event: 'version', ...version, ...fate }),
  summary: (totals) => printJson({ event: 'summary', ...totals }),
}

const words: Record<Outcome, string> = {
  'would-remove': '~ would remove',
  removed: '✓ removed',
  locked: '- locked, stays:',
  tagged: '- tagged, stays:',
  gone: '- already gone:',
  failed: '✗ not removed:',
}

const textReport: RetainReport = {
  version({ version: { tenant, type, name, digest, size, storedAt }, fate, why }) {
    const what = `${tenant} ${type}/${name} ${digest} (${formatBytes(size)}, stored ${storedAt})`
    return printLine(`${words[fate]} ${what}${why === undefined ? '' : `: ${why}`}`)
  },

  summary({ applied, versions, bytes }) {
    const { removed, locked, tagged, failed } = versions
    const count = applied ? removed : versions['would-remove']
    const done = `${count} versions, ${formatBytes(bytes)} ${applied ? 'removed' : 'would be removed'}`
    const stay = `${locked} locked, ${tagged} tagged, ${failed} failed`
    return printLine(`${failed === 0 ? '✓' : '✗'} ${done}; ${stay}${applied ? '' : '; --apply does it'}`)
  },
}
