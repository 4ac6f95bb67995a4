import { type CheckResult, exitCodeOf } from '../../service/cli/checks/check.ts'
import type { ServerName } from './deployment.ts'

/** All results of a run, as `--json` prints them and `report.json` keeps them. */
export interface Report {
  exitCode: 0 | 1 | 3
  verdict: 'proved' | 'failed' | 'not proved'
  /** RFC 3339. */
  startedAt: string
  seconds: number
  /** How the servers ran; `against`: they were running already. */
  deployment: 'native' | 'compose' | 'against'
  store: { endpoint: string }
  servers: Partial<Record<ServerName, { bucket: string; prefix: string; variants: readonly string[] }>>
  /** Folder of the evidence. */
  evidence: string
  checks: readonly CheckResult[]
  /** Keys of this run that could not be removed. */
  left: readonly string[]
}

const verdicts = { 0: 'proved', 1: 'failed', 3: 'not proved' } as const

/** Returns the report of a run that ends now. @param facts what was proved, how, and what came of it. */
export function reportOf(
  facts: Omit<Report, 'exitCode' | 'verdict' | 'startedAt' | 'seconds'> & { started: Date },
): Report {
  const { started, ...rest } = facts
  const exitCode = exitCodeOf(facts.checks)
  const seconds = (Date.now() - started.getTime()) / 1000
  return { exitCode, verdict: verdicts[exitCode], startedAt: started.toISOString(), seconds, ...rest }
}

/**
 * Returns a JUnit report: a suite for each server, a case for each check. What could not be tried is an `error`, since
 * readers of reports take `skipped` for success; what was not asked is skipped.
 */
export function junitReport(results: readonly CheckResult[]): string {
  const suites = [...Map.groupBy(results, ({ id }) => id.split('.')[0] ?? '')].map(([name, cases]) => [
    `  <testsuite name="validate.${escaped(name)}"${countsOf(cases)}>`,
    ...cases.flatMap(caseLines),
    '  </testsuite>',
  ])
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="validate"${countsOf(results)}>`,
    ...suites.flat(),
    '</testsuites>',
    '',
  ].join('\n')
}

function countsOf(results: readonly CheckResult[]): string {
  const count = (...verdicts: CheckResult['verdict'][]) =>
    results.filter(({ verdict }) => verdicts.includes(verdict)).length
  const seconds = results.reduce((sum, result) => sum + result.seconds, 0)
  return (
    ` tests="${results.length}" failures="${count('failed')}" errors="${count('missing', 'not run')}"` +
    ` skipped="${count('not asked')}" time="${seconds.toFixed(3)}"`
  )
}

function caseLines({ id, sentence, verdict, seen, reason, seconds }: CheckResult): string[] {
  const head = `    <testcase classname="${escaped(id)}" name="${escaped(sentence)}" time="${seconds.toFixed(3)}">`
  const what = {
    proved: [],
    failed: [`      <failure message="${escaped(reason)}">${escaped(seen)}</failure>`],
    missing: [`      <error message="missing: ${escaped(reason)}"/>`],
    'not run': [`      <error message="not run: ${escaped(reason)}"/>`],
    'not asked': [`      <skipped message="not asked: ${escaped(reason)}"/>`],
  }[verdict]
  const out = verdict === 'proved' ? [`      <system-out>${escaped(seen)}</system-out>`] : []
  return [head, ...what, ...out, '    </testcase>']
}

/** Escapes text for XML (XML 1.0 sections 2.2 and 2.4), and replaces characters that XML cannot contain. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
}
