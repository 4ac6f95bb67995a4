import { describe, expect, it } from 'bun:test'
import { join, resolve } from 'node:path'
import { mustRun } from '../../compose/run-command.ts'
import { folderForTests } from '../support/folder.ts'
import { historySecrets } from '../tools/checks/history-secrets.ts'

const root = resolve(import.meta.dir, '../..')

describe('the history of the repository', () => {
  it('holds nothing that looks like a secret, in whatever was ever committed', async () => {
    const { found, looked } = await historySecrets(root)
    expect(looked).toBeGreaterThan(500)
    expect(found).toEqual([])
  })

  it('would be seen to hold one that was committed and deleted again', async () => {
    const folder = await folderForTests('cloudlysis-history-')
    const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }
    const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.com']
    const git = (...args: string[]) => mustRun(['git', ...author, ...args], { cwd: folder, env })
    await git('init', '--quiet')
    await Bun.write(
      join(folder, 'settings.ts'),
      `const secretKey = '${crypto.randomUUID().replaceAll('-', 'a1')}'\n`,
    )
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'with a canary')
    await git('rm', '--quiet', 'settings.ts')
    await Bun.write(join(folder, 'other.ts'), 'export {}\n')
    await git('add', '.')
    await git('commit', '--quiet', '--message', 'without')
    const { found } = await historySecrets(folder)
    expect(found).toHaveLength(1)
    expect(found[0]).toStartWith('settings.ts, line 1: looks like a secret access key')
  })
})
