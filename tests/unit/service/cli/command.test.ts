import { describe, expect, it } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../../../compose/run-command.ts'
import { scripts } from '../../../../package.json'
import { exitCodes } from '../../../../service/cli/command.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))

/** Runs a command whose work is the body of an async function. */
async function run(work: string, ...args: string[]) {
  const script = `
    import * as harness from './service/cli/command.ts'
    import { ConfigError } from './service/config/config.ts'
    import { ObjectStoreError } from './service/object-store/object-store.ts'
    const command = harness.createCommand('bun run example', 'Shows how it ends.')
    await harness.runCommand(command, async (_flags, { signal }) => { ${work} })`
  const { exitCode, stderr } = await runCommand([process.execPath, '-e', script, '--', ...args], {
    cwd: root,
  })
  return { exitCode, stderr }
}

const interrupted = `
  process.kill(process.pid, 'SIGTERM')
  await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))`

describe('a command', () => {
  it('ends with the exit code of the table, and with one sentence on standard error', async () => {
    expect(await run('return harness.exitCodes.done')).toEqual({ exitCode: 0, stderr: '' })
    expect(await run('return harness.exitCodes.failed')).toEqual({ exitCode: 1, stderr: '' })
    expect(await run("throw new harness.LocalFailure('it is broken')")).toEqual({
      exitCode: 1,
      stderr: 'error: it is broken\n',
    })
    expect(await run("throw new harness.UsageError('give a name')")).toMatchObject({ exitCode: 2 })
    expect(await run("throw new ConfigError([{ variable: 'S3_REGION', problem: 'is missing' }])")).toEqual({
      exitCode: 2,
      stderr: 'The configuration has a problem:\n  S3_REGION is missing\n',
    })
    expect(await run("throw new harness.IncompleteError('no engine')")).toMatchObject({ exitCode: 3 })
    expect(await run("throw new ObjectStoreError('denied', 'list', 'AccessDenied')")).toEqual({
      exitCode: 3,
      stderr:
        'error: object store: list failed: denied (AccessDenied): check the access key, its secret and its rights\n',
    })
    expect(await run(interrupted)).toEqual({ exitCode: 130, stderr: 'error: interrupted by SIGTERM\n' })
  })

  it('ends with 2 for a flag that it does not know, and with 0 for --help', async () => {
    expect(await run('return 0', '--unknown')).toMatchObject({ exitCode: 2 })
    expect(await run('return 0', '--help')).toMatchObject({ exitCode: 0 })
  })

  it('shows the stack of a defect, and lets no control character reach the terminal', async () => {
    expect((await run("throw new TypeError('no function')")).stderr).toMatch(/TypeError: no function\n +at /)
    expect((await run("throw new harness.LocalFailure('a\\u001b[2Jb')")).stderr).toBe('error: a?[2Jb\n')
  })
})

describe('docs/commands.md', () => {
  it('names every npm script and every exit code', async () => {
    const page = await Bun.file(`${root}/docs/commands.md`).text()
    const named = [...page.matchAll(/^\| `([a-z:]+)/gm)].map(([, name]) => name)
    expect(named.toSorted()).toEqual(
      Object.keys(scripts)
        .filter((name) => name !== 'docs')
        .toSorted(),
    )
    const codes = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
    expect(codes).toEqual(Object.values(exitCodes))
  })
})
