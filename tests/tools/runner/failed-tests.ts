import { SaxesParser } from 'saxes'

/** One test that failed. */
export interface FailedTest {
  /** Path below the root, with the line if there is one: hooks have none. */
  place: string
  /** Name of the test behind those of its `describe`s, outermost first. */
  name: string
  /** What Bun says about it: the error, the difference, where it was thrown, its causes. */
  text: string
}

const lastLinesMax = 20

/**
 * Returns the failed tests of a JUnit report as `bun test` writes it: a suite per file, suites per `describe` in it, and a
 * `failure` in the case of a test or a hook that failed. A test that ran too long has only a message.
 *
 * @throws {Error} if the report is not XML.
 */
export function failedTests(junit: string): FailedTest[] {
  const failed: FailedTest[] = []
  const suites: string[] = []
  let place = ''
  let name = ''
  let text: string | null = null
  let message = ''
  const parser = new SaxesParser()
  parser.on('opentag', ({ name: tag, attributes }) => {
    if (tag === 'testsuite') suites.push(attributes.name ?? '')
    if (tag === 'testcase') {
      place = [attributes.file, attributes.line].filter((part) => part !== undefined).join(':')
      // The first suite is the file.
      name = [...suites.slice(1), attributes.name ?? ''].join(' > ')
    }
    if (tag !== 'failure') return
    text = ''
    message = attributes.message ?? ''
  })
  parser.on('text', (part) => {
    if (text !== null) text += part
  })
  parser.on('closetag', ({ name: tag }) => {
    if (tag === 'testsuite') suites.pop()
    if (tag !== 'failure' || text === null) return
    failed.push({ place, name, text: text.trim() || message })
    text = null
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(junit).close()
  return failed
}

/**
 * Returns what a suite printed about failures that belong to no test: errors outside of tests with their files, such as one
 * that does not load; of a suite that was ended or died also the tests that had failed by then, and its last lines.
 *
 * @param died whether a signal ended the suite.
 */
export function unexplained(printed: string, died: boolean): string {
  const between = /^(\S+\.test\.tsx?):$|^# Unhandled error between tests\n-+\n([\s\S]*?)\n-{10,}$/gm
  const errors: string[] = []
  let file = ''
  for (const [, header, error] of printed.matchAll(between)) {
    if (header !== undefined) file = header
    else errors.push(`${file}:`, error ?? '')
  }
  if (!died && errors.length > 0) return errors.join('\n')
  const lines = printed.trimEnd().split('\n')
  const failed = lines.filter((line) => line.startsWith('(fail) '))
  return [...failed, ...errors, 'Its last lines:', ...lines.slice(-lastLinesMax)].join('\n')
}
