import { describe, expect, it } from 'bun:test'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import { evidenceIn, readableJson } from '../../../../observability/proof/evidence.ts'
import { junitReport, reportOf } from '../../../../observability/proof/report.ts'
import type { CheckResult } from '../../../../service/cli/checks/check.ts'
import { resultLines, summaryLine } from '../../../../service/cli/checks/result-lines.ts'
import { registerSecret } from '../../../../service/telemetry/redaction.ts'
import { Secret } from '../../../../service/telemetry/secret.ts'
import { folderForTests } from '../../../support/folder.ts'

const base = { seen: '', reason: '', seconds: 0 }
const results: CheckResult[] = [
  { ...base, id: 'loki.a', sentence: 'It lands', verdict: 'proved', seen: '1 chunk', seconds: 2.4 },
  {
    ...base,
    id: 'loki.b',
    sentence: 'Only <there> & "so"',
    verdict: 'failed',
    seen: 'a\u0001b\nc',
    reason: 'no',
  },
  { ...base, id: 'loki.c', sentence: 'It lacks', verdict: 'missing', reason: 'a bucket' },
  { ...base, id: 'tempo.d', sentence: 'It waits', verdict: 'not run', reason: 'needs loki.b' },
  { ...base, id: 'join.e', sentence: 'It is not asked', verdict: 'not asked', reason: 'it takes both' },
]

describe('the lines of a run', () => {
  it('show a mark, the sentence, what was seen, and why that is not enough', () => {
    expect(results.map(resultLines)).toEqual([
      '✓ It lands  [loki.a, 2 s]\n    1 chunk',
      '✗ Only <there> & "so"  [loki.b]\n    a\u0001b\n    c\n    no',
      '? It lacks  [loki.c]\n    missing: a bucket',
      '? It waits  [tempo.d]\n    not run: needs loki.b',
      '– It is not asked  [join.e]\n    not asked: it takes both',
    ])
  })

  it('end with counts, what they come to, and the exit code', () => {
    expect(summaryLine(results)).toBe(
      '1 proved, 1 failed, 1 missing, 1 not run, 1 not asked: it does not hold (exit code 1)',
    )
    expect(summaryLine(results.slice(0, 1))).toBe(
      '1 proved: everything that was asked is proved (exit code 0)',
    )
    expect(summaryLine(results.slice(2, 4))).toContain('(exit code 3)')
  })
})

describe('the JUnit report', () => {
  it('is XML, with a suite for each server and a case for each check', () => {
    const { elements, counts } = parsed(junitReport(results))
    expect(counts).toEqual({
      tests: '5',
      failures: '1',
      errors: '2',
      skipped: '1',
      time: '2.400',
      name: 'validate',
    })
    expect(elements.testsuite).toEqual(['validate.loki', 'validate.tempo', 'validate.join'])
    expect(elements.testcase).toEqual(results.map(({ sentence }) => sentence))
  })

  it('calls what could not be tried an error, since readers take skipped for good', () => {
    const { elements } = parsed(junitReport(results))
    expect(elements.failure).toEqual(['no'])
    expect(elements.error).toEqual(['missing: a bucket', 'not run: needs loki.b'])
    expect(elements.skipped).toEqual(['not asked: it takes both'])
  })
})

describe('the report', () => {
  it('tells what was proved, of which servers, and how', () => {
    const report = reportOf({
      started: new Date(),
      deployment: 'native',
      store: { endpoint: 'http://127.0.0.1:9000' },
      servers: { loki: { bucket: 'b', prefix: 'loki/', variants: ['s3-thanos'] } },
      evidence: '/evidence',
      checks: results,
      left: [],
    })
    expect(report).toMatchObject({ exitCode: 1, verdict: 'failed', checks: results })
    expect(new Date(report.startedAt).getTime()).toBeCloseTo(Date.now(), -4)
  })
})

describe('the evidence folder', () => {
  it('keeps texts for their owner alone, without secrets', async () => {
    const folder = await folderForTests('cloudlysis-evidence-test-')
    const secret = crypto.randomUUID()
    const forget = registerSecret(new Secret(secret))
    try {
      const evidence = evidenceIn(join(folder, 'new'))
      await evidence.write('loki/main.log', `first line\nkey ${secret} in it\nlast line\n`)
      const file = join(evidence.folder, 'loki/main.log')
      expect(await readFile(file, 'utf8')).toBe('first line\nkey [redacted] in it\nlast line\n')
      expect((await stat(file)).mode & 0o777).toBe(0o600)
      expect((await stat(evidence.folder)).mode & 0o777).toBe(0o700)
    } finally {
      forget()
    }
  })

  it('breaks JSON into lines, and leaves what is none', () => {
    expect(readableJson('{"a":[1]}')).toBe('{\n  "a": [\n    1\n  ]\n}\n')
    expect(readableJson('404 page not found')).toBe('404 page not found')
  })
})

/** Names of suites and cases, messages of outcomes, and the attributes of the root; throws where it is not XML. */
function parsed(xml: string) {
  const elements: Record<string, string[]> = {}
  let counts: Record<string, string> = {}
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (name === 'testsuites') counts = attributes
    elements[name] = [...(elements[name] ?? []), attributes.message ?? attributes.name ?? '']
  })
  parser.write(xml).close()
  return { elements, counts }
}
