import type { FailedTest } from './failed-tests.ts'

/** The outcome of one suite on one store. */
export interface SuiteResult {
  suite: string
  store: string
  passed: number
  failed: number
  skipped: number
  minutes: number
  /** Sentences about failures that belong to no test, such as a file that does not load. */
  remarks: string[]
  /** The sizes and seeds of its random tests, and the figures about promises, as they were printed. */
  noted?: string[]
  /** The tests that failed. */
  tests?: FailedTest[]
  /** What the suite printed about the failures in `remarks`. */
  unexplained?: string
}

export type SuiteVerdict = Pick<SuiteResult, 'passed' | 'failed' | 'skipped' | 'remarks'>

export interface TestCounts {
  passed: number
  failed: number
  skipped: number
  /** Test files that have at least one test in the report. */
  files: string[]
}

/**
 * Counts the tests of a JUnit report as `bun test` writes it: `tests`, `failures`, `skipped` of the root, and
 * the `file` of each case.
 *
 * @throws {Error} if it is not such a report.
 */
export function countTests(junit: string): TestCounts {
  const root = /<testsuites [^>]*>/.exec(junit)?.[0]
  if (root === undefined) throw new Error('not a JUnit report')
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? Number.NaN)
  const [tests, failed, skipped] = [count('tests'), count('failures'), count('skipped')]
  if (Number.isNaN(tests + failed + skipped)) throw new Error('a JUnit report without counts')
  const files = Array.from(junit.matchAll(/<testcase [^>]* file="([^"]+)"/g), ([, file]) => file ?? '')
  return { passed: tests - failed - skipped, failed, skipped, files: [...new Set(files)] }
}

/**
 * Returns the verdict on a suite from its report. Beyond failing tests these are failures: a file without a test in
 * the report (it did not load), no test that ran at all, and an exit code that nothing else explains.
 *
 * @param expected the suite's test files; the report names them by the same paths.
 */
export function judge(counts: TestCounts, expected: string[], exitCode: number): SuiteVerdict {
  const { passed, skipped, files } = counts
  const remarks = expected
    .filter((file) => !files.includes(file))
    .map((file) => `${file}: none of its tests ran; it does not load, or has none`)
  if (passed + counts.failed === 0 && remarks.length === 0) remarks.push('not one test ran')
  if (exitCode !== 0 && counts.failed === 0 && remarks.length === 0) {
    remarks.push(`all tests passed, but the process ended with ${exitCode}`)
  }
  return { passed, failed: counts.failed + remarks.length, skipped, remarks }
}

/** Returns the table of all suites, one line each; every column is as wide as its longest cell. */
export function resultTable(results: SuiteResult[]): string {
  const head = ['suite', 'store', 'passed', 'failed', 'skipped', 'minutes']
  const rows = results.map((result) => [
    result.suite,
    result.store,
    String(result.passed),
    String(result.failed),
    String(result.skipped),
    result.minutes.toFixed(1),
  ])
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)))
  const align = (cell: string, column: number) =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return [head, widths.map((width) => '-'.repeat(width)), ...rows]
    .map((row) => row.map(align).join(' | '))
    .join('\n')
}

/** Returns the sizes, seeds and figures that a suite printed (`tests/support/{sizes,seed,figures}.ts`), each line once. */
export function notedIn(printed: string): string[] {
  return [...new Set(printed.match(/^(?:size|seed|figure): .+$/gm))]
}

/** Returns the last line of a run: the sums over all suites. */
export function summaryLine(results: SuiteResult[]): string {
  const sum = (key: 'passed' | 'failed' | 'skipped') =>
    results.reduce((total, result) => total + result[key], 0)
  return `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`
}

/** Returns 0 if nothing failed, otherwise 1. In CI a skipped test is a failure: no one would read why. */
export function exitCodeOf(results: SuiteResult[], inCi: boolean): number {
  return results.some(({ failed, skipped }) => failed > 0 || (inCi && skipped > 0)) ? 1 : 0
}
