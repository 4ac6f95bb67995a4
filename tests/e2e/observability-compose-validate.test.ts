import { describe, expect, it } from 'bun:test'
import { resolve } from 'node:path'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import type { CheckResult } from '../../service/cli/checks/check.ts'
import { folderForTests } from '../support/folder.ts'
import { keepPrinted } from '../support/printed.ts'
import { dockerForTests } from '../support/stores/docker.ts'

const validate = resolve(import.meta.dir, '../../observability/proof/validate.ts')

const env = await dockerForTests()
const evidence = await folderForTests('cloudlysis-evidence-')
const argv = [process.execPath, validate, '--deploy', 'compose', '--json', '--evidence', evidence]
const run = await runCommand(argv, { env })
keepPrinted('validate', run.stdout + run.stderr)
const checks: CheckResult[] = JSON.parse(run.stdout).checks

describe('bun run validate --deploy compose, on a real Docker Engine', () => {
  it('proves everything that is asked by default', () => {
    const asked = checks.filter(({ verdict }) => verdict !== 'not asked')
    expect(asked.filter(({ verdict }) => verdict !== 'proved')).toEqual([])
    const origins = [
      'loki.origin',
      'tempo.origin',
      'loki.containment',
      'tempo.containment',
      'join.trace-to-log',
    ]
    expect(asked.map(({ id }) => id)).toEqual(expect.arrayContaining(origins))
    expect(run.exitCode).toBe(0)
  })

  it('leaves no container, network or disk behind', async () => {
    const ours = ['--filter', 'name=cloudlysis-proof-', '--quiet']
    expect(await mustRun(['docker', 'ps', '--all', ...ours], { env })).toBe('')
    expect(await mustRun(['docker', 'network', 'ls', ...ours], { env })).toBe('')
    expect(await mustRun(['docker', 'volume', 'ls', ...ours], { env })).toBe('')
  })
})
