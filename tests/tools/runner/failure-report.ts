import type { FailedTest } from './failed-tests.ts'
import type { SuiteResult } from './suite-result.ts'

/** Together with the table below it, this fits into the last 150 lines, which is what CI shows of a run. */
const linesMax = 110
const linesOfOneMax = 60
const shownMax = 10
const namesMax = 20
const columnsMax = 240

/**
 * Describes what failed and why, for the end of a run: each failed test with its suite, store, file and error, and each
 * failure that belongs to no test. The first ten share {@link linesMax} lines, the others are only named.
 *
 * @returns an empty string if nothing failed.
 */
export function failureReport(results: readonly SuiteResult[]): string {
  const failures = results.filter(({ failed }) => failed > 0).flatMap(failuresOf)
  if (failures.length === 0) return ''
  const shown = failures.slice(0, shownMax)
  const named = failures.slice(shownMax, shownMax + namesMax).map(({ title }) => `✗ ${title}`)
  const more = failures.length - shown.length - named.length
  const left = more > 0 ? [`… and ${more} more`] : []
  const share = Math.floor((linesMax - named.length - left.length) / shown.length) - 2
  const blocks = shown.map(({ title, text }) => [`✗ ${title}`, ...shortened(text, share), ''].join('\n'))
  return ['What failed, and why:', '', ...blocks, ...named, ...left].join('\n').trimEnd()
}

function failuresOf({ suite, store, tests = [], remarks, unexplained = '' }: SuiteResult) {
  const title = ({ place, name }: FailedTest) => `${suite} on ${store} | ${place} | ${name}`
  const ofTests = tests.map((test) => ({ title: title(test), text: test.text }))
  if (remarks.length === 0) return ofTests
  // They come first: what ended a suite may also be why its tests failed.
  const [first = '', ...others] = remarks
  const text = [...others, unexplained].filter((part) => part !== '').join('\n')
  return [{ title: `${suite} on ${store} | ${first}`, text }, ...ofTests]
}

/** Its beginning says what is wrong, its end where, or what came last. */
function shortened(text: string, share: number): string[] {
  const lines = text.split('\n').map((line) => `    ${line.slice(0, columnsMax)}`)
  const max = Math.min(share, linesOfOneMax)
  if (text === '' || lines.length <= max) return text === '' ? [] : lines
  const end = Math.floor(max / 3)
  const beginning = max - 1 - end
  const out = lines.length - beginning - end
  return [...lines.slice(0, beginning), `    … ${out} lines left out`, ...lines.slice(-end)]
}
