import { type CheckResult, exitCodeOf, type Verdict } from './check.ts'

const marks: Record<Verdict, string> = {
  proved: '✓',
  failed: '✗',
  missing: '?',
  'not run': '?',
  'not asked': '–',
}

/** Returns `✓ <sentence>  [<id>]`, followed by what was seen and why that is not enough. */
export function resultLines({ id, sentence, verdict, seen, reason, seconds }: CheckResult): string {
  const head = `${marks[verdict]} ${sentence}  [${id}${seconds >= 1 ? `, ${Math.round(seconds)} s` : ''}]`
  const details = {
    proved: [seen],
    failed: [seen, reason],
    missing: [`missing: ${reason}`],
    'not run': [`not run: ${reason}`],
    'not asked': [`not asked: ${reason}`],
  }[verdict]
  return [head, ...details.filter((line) => line !== '').flatMap(indented)].join('\n')
}

function indented(text: string): string[] {
  return text.split('\n').map((line) => `    ${line}`)
}

/** Returns the last line: the counts of verdicts, the conclusion, and the exit code. */
export function summaryLine(results: readonly CheckResult[]): string {
  const verdicts = Object.keys(marks) as Verdict[]
  const counts = verdicts
    .map((verdict) => ({ verdict, count: results.filter((result) => result.verdict === verdict).length }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${count} ${verdict}`)
  const exitCode = exitCodeOf(results)
  return `${counts.join(', ')}: ${conclusions[exitCode]} (exit code ${exitCode})`
}

export const conclusions = {
  0: 'everything that was asked is proved',
  1: 'it does not hold',
  3: 'nothing failed, and it is not proved: something was missing',
} as const
