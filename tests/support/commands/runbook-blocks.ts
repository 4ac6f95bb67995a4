import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keepPrinted } from '../printed.ts'
import type { ScriptRun } from './script-run.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Fenced blocks of a runbook by name (```` ```sh block=<name> ````), without the indentation of a list. */
export function blocksOf(markdown: string): Map<string, string> {
  const fence = /^( *)```sh block=(\S+)\n([\s\S]*?)^\1```$/gm
  const blocks = [...markdown.matchAll(fence)].map(
    ([, indent = '', name = '', text = '']): [string, string] => [
      name,
      text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    ],
  )
  if (new Set(blocks.map(([name]) => name)).size < blocks.length) throw new Error('two blocks have one name')
  return new Map(blocks)
}

/** A folder to put first in PATH, in which `bun` is the one that runs this. */
export async function folderWithBun(parent: string): Promise<string> {
  const folder = join(parent, 'bin')
  await mkdir(folder)
  await symlink(process.execPath, join(folder, 'bun'))
  return folder
}

/** Runs commands as if they were pasted into a shell in the root of the repository; the first failure ends it. */
export async function runCommands(text: string, env: Record<string, string>): Promise<ScriptRun> {
  const child = Bun.spawn(['bash', '-euo', 'pipefail', '-c', text], {
    cwd: root,
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  keepPrinted('runbook', out + err)
  return { exitCode: await child.exited, out, err }
}
