import { beforeEach, describe, expect, it } from 'bun:test'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { folderForTests } from '../../../../support/folder.ts'
import { failureReport } from '../../../../tools/runner/failure-report.ts'
import { runSuite } from '../../../../tools/runner/run-suite.ts'
import type { SuiteResult } from '../../../../tools/runner/suite-result.ts'

let folder: string

beforeEach(async () => {
  folder = await folderForTests('cloudlysis-report-')
  await mkdir(join(folder, 'printed'))
})

/** What the end of a run says about a suite of one file, run as the runner does. */
async function reportOf(test: string, minutesMax = 1): Promise<string> {
  await Bun.write(join(folder, 'a.test.ts'), `import { describe, expect, it } from 'bun:test'\n${test}`)
  const run = { suite: 'broken', store: 'minio' as const, files: ['a.test.ts'], needs: [], waits: false }
  const { signal } = new AbortController()
  const limits = { testSecondsMax: 180, suiteMinutesMax: minutesMax }
  const surroundings = { env: process.env, folder, signal, limits, root: folder, show: () => {} }
  const result = await runSuite(run, surroundings)
  return failureReport([result])
}

const failing: SuiteResult = {
  ...{ suite: 'unit', store: 'none', passed: 3, failed: 1, skipped: 0, minutes: 1, remarks: [] },
  tests: [{ place: 'tests/unit/a.test.ts:3', name: 'a > b', text: 'Error: no' }],
}

describe('what failed, at the end of a run', () => {
  it('is a test with its suite, store, file and full name, and the error that Bun printed', async () => {
    const report = await reportOf(`
      describe('a list', () => describe('of <two> & "more"', () => {
        it('is equal', () => { expect({ a: 1, b: 2 }).toEqual({ a: 1, b: 3 }) })
        it('is there', () => {})
      }))`)
    const lines = report.split('\n')
    expect(lines[0]).toBe('What failed, and why:')
    expect(lines[2]).toBe('✗ broken on MinIO | a.test.ts:4 | a list > of <two> & "more" > is equal')
    expect(report).toContain('AssertionError: expect(received).toEqual(expected)')
    expect(report).toMatch(/^ +- +"b": 3,\n +\+ +"b": 2,$/m)
    expect(report).toMatch(/at a\.test\.ts:4:\d+$/)
    expect(report).not.toContain('is there')
  })

  it('is a hook that failed, a test that ran too long, and the cause of an error', async () => {
    const report = await reportOf(`
      import { beforeAll } from 'bun:test'
      describe('hooked', () => { beforeAll(() => { throw new Error('no hook') }); it('a', () => {}) })
      it('waits', () => Bun.sleep(5000), 10)
      it('throws', async () => { throw new Error('outside', { cause: new Error('inside') }) })`)
    expect(report).toContain('no hook')
    expect(report).toMatch(/waits\n +test timed out/)
    expect(report).toMatch(/outside[\s\S]+inside/)
  })

  it('is a file that does not load, with the reason', async () => {
    const report = await reportOf("import './missing.ts'\nit('never runs', () => {})")
    expect(report).toContain('✗ broken on MinIO | a.test.ts: none of its tests ran')
    expect(report).toMatch(/Cannot find module '\.\/missing\.ts'/)
  })

  it('is a suite that died, with its last lines and what had failed by then', async () => {
    const report = await reportOf(`
      it('breaks', () => expect(1).toBe(2))
      it('prints', () => { for (let line = 1; line <= 100; line++) console.log('line', line) })
      it('dies', () => process.kill(process.pid, 'SIGKILL'))`)
    expect(report).toContain('✗ broken on MinIO | it ended with 137, before the last of its tests')
    expect(report).toContain('(fail) breaks')
    expect(report).toContain('line 100')
    expect(report).not.toContain('line 9\n')
  })

  it('is a suite that took too long, with its last lines', async () => {
    const report = await reportOf(
      "it('a', () => console.log('the last line'))\nit('hangs', () => Bun.sleep(60_000), 60_000)",
      3 / 60,
    )
    expect(report).toContain('✗ broken on MinIO | stopped after 0.05 minutes')
    expect(report).toContain('the last line')
  })

  it('is nothing where nothing failed', () => {
    const passed = { ...failing, failed: 0, tests: [] }
    expect(failureReport([passed, { ...passed, skipped: 1, remarks: ['cannot run: no Go'] }])).toBe('')
  })

  it('fits into what is shown of a run, however much failed and however long the errors are', () => {
    const text = Array.from({ length: 500 }, (_, line) => `${line}${'x'.repeat(1000)}`).join('\n')
    const tests = Array.from({ length: 100 }, (_, index) => ({ place: 'a.test.ts', name: `t${index}`, text }))
    const lines = failureReport([{ ...failing, failed: 100, tests }]).split('\n')
    expect(lines.length).toBeLessThan(120)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(260)
    expect(lines.filter((line) => line.startsWith('✗'))).toHaveLength(30)
    expect(lines.at(-1)).toBe('… and 70 more')
  })

  it('shows the beginning and the end of one long error', () => {
    const text = Array.from({ length: 500 }, (_, line) => `line ${line}`).join('\n')
    const report = failureReport([{ ...failing, tests: [{ place: 'a', name: 'b', text }] }])
    expect(report.split('\n')).toHaveLength(63)
    expect(report).toContain('line 0\n')
    expect(report).toContain('… 441 lines left out')
    expect(report).toEndWith('line 499')
  })
})
