import { describe, expect, it } from 'bun:test'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CommandResult, runCommand } from '../../compose/run-command.ts'
import { folderForTests } from '../support/folder.ts'
import { alertRules, prometheusFolder, type RuleFile } from '../support/observability/alert-rules.ts'

const folder = await folderForTests('alert-rules-')

/** Runs `promtool` in a folder that was filled with {@link copied}. */
function promtool(...args: string[]): Promise<CommandResult> {
  return runCommand(['promtool', ...args], { cwd: folder, secondsMax: 60 })
}

/** Copies the kit's folder, with `expr` as the expression of every alert if it is given. */
async function copied(expr?: string): Promise<void> {
  await cp(prometheusFolder, folder, { recursive: true })
  await Bun.write(join(folder, 'secrets/minio-metrics-token'), 'a token')
  if (expr === undefined) return
  for (const name of await filesIn('rules')) {
    const rules = Bun.YAML.parse(await readFile(join(folder, name), 'utf8')) as RuleFile
    for (const rule of rules.groups.flatMap((group) => group.rules)) rule.expr = expr
    await writeFile(join(folder, name), Bun.YAML.stringify(rules))
  }
}

async function filesIn(part: string): Promise<string[]> {
  return (await readdir(join(folder, part))).map((name) => join(part, name))
}

/** Returns the alerts for which the unit tests fail. */
async function complaints(): Promise<string[]> {
  const { stdout, stderr } = await promtool('test', 'rules', ...(await filesIn('tests')))
  const failed = [...`${stdout}${stderr}`.matchAll(/expr: "ALERTS\{alertname=\\"(\w+)\\"/g)]
  return [...new Set(failed.map(([, name]) => name ?? ''))].toSorted()
}

describe('the configuration of Prometheus', () => {
  it('is accepted by promtool, including secrets and rules', async () => {
    await copied()
    const { exitCode, stdout, stderr } = await promtool('check', 'config', 'prometheus.yaml')
    expect(stderr).toBe('')
    expect(stdout).toContain('prometheus.yaml is valid prometheus config file syntax')
    expect(stdout.match(/SUCCESS: \d+ rules found/g)).toHaveLength((await filesIn('rules')).length)
    expect(exitCode).toBe(0)
  })

  it('is refused by the same command if a rule is broken', async () => {
    await copied('sum by (')
    expect((await promtool('check', 'config', 'prometheus.yaml')).exitCode).not.toBe(0)
  })
})

describe('the unit tests of the alerts', () => {
  it('pass with the rules as they are', async () => {
    await copied()
    const { exitCode, stderr } = await promtool('test', 'rules', ...(await filesIn('tests')))
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
  })

  it('fail for every alert that never fires', async () => {
    await copied('vector(0) > 1')
    expect(await complaints()).toEqual(names())
  })

  it('fail for every alert that always fires', async () => {
    await copied('vector(1)')
    // The watchdog should.
    expect(await complaints()).toEqual(names().filter((name) => name !== 'Watchdog'))
  })
})

function names(): string[] {
  return alertRules()
    .map(({ alert }) => alert)
    .toSorted()
}
