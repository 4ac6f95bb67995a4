import type { CheckResult } from '../../../service/cli/checks/check.ts'

/**
 * A JUnit report: a suite for each server, a case for each check. What could not be tried is an `error`, since a
 * reader of reports takes `skipped` for good; that is for what was not asked.
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

/** XML 1.0 sections 2.2 and 2.4: without the characters that may not stand there even escaped. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
}
