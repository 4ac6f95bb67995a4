import { describe, expect, it } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { runCommand } from '../../../../../compose/run-command.ts'
import { folderForTests } from '../../../../support/folder.ts'
import {
  countTests,
  exitCodeOf,
  judge,
  notedIn,
  resultTable,
  type SuiteResult,
  summaryLine,
} from '../../../../tools/runner/suite-result.ts'
import { runsOf } from '../../../../tools/runner/suite-runs.ts'
import { suites } from '../../../../tools/suites.ts'

const root = resolve(import.meta.dir, '../../../../..')

/** Runs one throw-away test file with the real `bun test` and returns its report and exit code. */
async function reportOf(test: string): Promise<{ junit: string; exitCode: number }> {
  const folder = await folderForTests('cloudlysis-runner-')
  await writeFile(
    join(folder, 'a.test.ts'),
    `import { it, expect, beforeAll, describe } from 'bun:test'\n${test}`,
  )
  const report = ['--reporter=junit', '--reporter-outfile=report.xml']
  const { exitCode } = await runCommand([process.execPath, 'test', './a.test.ts', ...report], {
    cwd: folder,
  })
  const file = Bun.file(join(folder, 'report.xml'))
  return { junit: (await file.exists()) ? await file.text() : '', exitCode }
}

describe('countTests', () => {
  it('counts what bun test reports', async () => {
    const { junit, exitCode } = await reportOf(
      "it('a', () => {})\nit('b', () => { expect(1).toBe(2) })\nit.skip('c', () => {})\nit.todo('d')\n",
    )
    expect(countTests(junit)).toEqual({ passed: 1, failed: 1, skipped: 2, files: ['a.test.ts'] })
    expect(exitCode).toBe(1)
  })

  it('counts a hook that fails', async () => {
    const { junit } = await reportOf(
      "describe('x', () => { beforeAll(() => { throw 1 }); it('a', () => {}) })\n",
    )
    expect(countTests(junit).failed).toBeGreaterThan(0)
  })

  it('refuses what is no report', () => {
    expect(() => countTests('')).toThrow('not a JUnit report')
    expect(() => countTests('<testsuites name="bun test">')).toThrow('without counts')
  })
})

describe('judge', () => {
  const good = { passed: 2, failed: 0, skipped: 0, files: ['tests/unit/a.test.ts'] }

  it('passes a suite whose files all ran', () => {
    expect(judge(good, good.files, 0)).toEqual({ passed: 2, failed: 0, skipped: 0, remarks: [] })
  })

  it('fails a suite with a file of which nothing ran', () => {
    const verdict = judge(good, [...good.files, 'tests/unit/b.test.ts'], 1)
    expect(verdict.failed).toBe(1)
    expect(verdict.remarks[0]).toContain('tests/unit/b.test.ts')
  })

  it('fails a suite in which not one test ran, also when all were skipped', () => {
    expect(judge({ passed: 0, failed: 0, skipped: 0, files: [] }, [], 0).failed).toBe(1)
    expect(judge({ ...good, passed: 0, skipped: 3 }, good.files, 0).failed).toBe(1)
  })

  it('fails a suite whose process failed although its tests passed', () => {
    expect(judge(good, good.files, 1).failed).toBe(1)
  })
})

describe('the summary of bun run test', () => {
  const result: SuiteResult = {
    suite: 'unit',
    store: 'none',
    passed: 3,
    failed: 0,
    skipped: 0,
    minutes: 0.25,
    remarks: [],
  }

  it('adds all suites up in its last line', () => {
    expect(summaryLine([result, { ...result, failed: 1, skipped: 2 }])).toBe('6 passed, 1 failed, 2 skipped')
  })

  it('shows minutes and the store of each suite', () => {
    expect(resultTable([result]).split('\n').at(-1)).toMatch(/^unit +\| none +\| +3 \| +0 \| +0 \| +0\.3$/)
  })

  it('shows every size, seed and figure that a suite printed, once', () => {
    const printed =
      'a.test.ts:\nseed: 7; to repeat it: …\nsize: 200 cases\n(pass) a seed: 8\nsize: 200 cases\n'
    expect(notedIn(printed)).toEqual(['seed: 7; to repeat it: …', 'size: 200 cases'])
  })

  it('fails on a failure, and in CI on a skipped test too', () => {
    expect(exitCodeOf([result], true)).toBe(0)
    expect(exitCodeOf([{ ...result, failed: 1 }], false)).toBe(1)
    expect(exitCodeOf([{ ...result, skipped: 1 }], false)).toBe(0)
    expect(exitCodeOf([{ ...result, skipped: 1 }], true)).toBe(1)
  })
})

describe('the suites of bun run test', () => {
  it('stand in the README with what they hold', async () => {
    const readme = await Bun.file(join(root, 'tests/README.md')).text()
    const rows = suites.map(({ name, holds }) => `| \`${name}\` | ${holds} |`)
    expect(rows.filter((row) => !readme.includes(row))).toEqual([])
  })

  it('are chosen by name, and a name that is none of them is refused', async () => {
    const { exitCode, stderr } = await runCommand([process.execPath, 'tests/tools/run.ts', 'no-such-suite'], {
      cwd: root,
    })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('unit, contract')
  })

  it('are chosen by store, and a store that is none of them is refused', async () => {
    const asked = ['tests/tools/run.ts', 'contract', '--store', 'no-such-store']
    const { exitCode, stderr } = await runCommand([process.execPath, ...asked], { cwd: root })
    expect(exitCode).toBe(2)
    expect(stderr).toContain('minio, minio-tls, ceph-rgw, seaweedfs')
  })
})

describe('runsOf', () => {
  const integration = suites.find(({ name }) => name === 'integration')
  const contract = suites.find(({ name }) => name === 'contract')
  if (!integration || !contract) throw new Error('there are no such suites')

  it('gives the service and the adapter a run on every store of the matrix', async () => {
    const runs = await runsOf(integration)
    const races = runs.filter(({ files }) => files.includes('tests/integration/documents/racing.test.ts'))
    expect(runs.map(({ store }) => store)).toEqual(['minio', 'ceph-rgw', 'seaweedfs'])
    expect(races).toEqual(runs)
    expect((await runsOf(contract)).map(({ store }) => store)).toContain('minio-tls')
  })

  it('can be narrowed to one store', async () => {
    const runs = await runsOf(integration, { only: 'ceph-rgw' })
    expect(runs.map(({ store }) => store)).toEqual(['ceph-rgw'])
    expect(runs[0]?.needs).toEqual(['node', 'openssl', 'prometheus', 'rgw'])
  })

  it('refuses a file set apart that is not there', async () => {
    const renamed = { ...contract, apart: { memory: ['no-such-file'] } }
    await expect(runsOf(renamed)).rejects.toThrow('tests/contract/no-such-file.test.ts')
    const longer = { ...contract, onlyLong: ['no-such-file'] }
    await expect(runsOf(longer)).rejects.toThrow('tests/contract/no-such-file.test.ts')
  })

  it('keeps what takes too long for every run for test:long, and leaves out of that what has no size', async () => {
    const longer = { ...contract, onlyLong: ['s3-object-store', 's3-failures'] }
    const files = async (which?: { long: boolean }) =>
      (await runsOf(longer, which)).map(({ store, files }) => `${store}: ${files}`)
    const [onEvery, onMinio] = [
      'tests/contract/s3-object-store.test.ts',
      'tests/contract/s3-failures.test.ts',
    ]
    expect((await files()).filter((run) => run.includes('s3-object') || run.includes('s3-fail'))).toEqual([])
    expect(await files({ long: true })).toEqual([
      `minio: ${onMinio},${onEvery}`,
      ...['ceph-rgw', 'seaweedfs', 'minio-tls'].map((store) => `${store}: ${onEvery}`),
    ])
  })
})
