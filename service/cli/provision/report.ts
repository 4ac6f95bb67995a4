import type { Outcome } from '../../provisioning/apply.ts'
import type { Change, Remark } from '../../provisioning/plan.ts'
import type { Tried } from '../../provisioning/verify.ts'
import { printJson, printLine } from '../output.ts'

/** What `provision` prints on standard output: sentences, or with `json` one object per line. */
export interface ProvisionReport {
  remark(remark: Remark): Promise<void>
  change(change: Change): Promise<void>
  planned(changes: number): Promise<void>
  outcome(outcome: Outcome): Promise<void>
  applied(done: number, notDone: number): Promise<void>
  tried(tried: Tried): Promise<void>
  verified(tried: number, broken: number): Promise<void>
}

/** Returns the report for people, or for machines where `json` is true. */
export function createProvisionReport(json: boolean): ProvisionReport {
  return json ? jsonReport : textReport
}

const jsonReport: ProvisionReport = {
  remark: (remark) => printJson({ event: 'remark', ...remark }),
  change: (change) => printJson({ event: 'change', ...change }),
  planned: (changes) => printJson({ event: 'planned', changes }),
  outcome: (outcome) => printJson({ event: 'outcome', ...outcome }),
  applied: (done, notDone) => printJson({ event: 'applied', done, notDone }),
  tried: (tried) => printJson({ event: 'tried', ...tried }),
  verified: (tried, broken) => printJson({ event: 'verified', tried, broken }),
}

const textReport: ProvisionReport = {
  remark: ({ bucket, remark }) => printLine(`  ${bucket}: ${remark}`),

  change({ bucket, setting, is, shouldBe, impossible }) {
    const blocker = impossible === undefined ? '' : ` (${impossible})`
    return printLine(`~ ${bucket}: ${setting}: ${is} → ${shouldBe}${blocker}`)
  },

  planned: (changes) => printLine(changes === 0 ? '✓ everything is as it should be' : `${changes} to change`),

  outcome({ bucket, setting, shouldBe, done, why, harmless }) {
    const mark = done ? '✓' : harmless ? '-' : '✗'
    return printLine(`${mark} ${bucket}: ${setting}: ${shouldBe}${why === undefined ? '' : `: ${why}`}`)
  },

  applied: (done, notDone) =>
    printLine(`${notDone === 0 ? '✓' : '!'} ${done} changed, ${notDone} that the store could not do`),

  tried: ({ what, expected, held, seen }) =>
    printLine(`${held ? '✓' : '✗'} ${what} ${expected === 'works' ? 'works' : 'is refused'}: ${seen}`),

  verified: (tried, broken) => printLine(`${broken === 0 ? '✓' : '✗'} ${tried} tried, ${broken} wrong`),
}
