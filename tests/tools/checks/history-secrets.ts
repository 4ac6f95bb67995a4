import { runCommand } from '../../../compose/run-command.ts'
import { committedSecrets } from './secret-search.ts'

/** Larger ones are pictures and recordings. */
const blobBytesMax = 2 * 1024 * 1024

/**
 * Finds what looks like a secret in any file that was ever committed: in all ancestors of `HEAD`, including files that
 * have been deleted since.
 *
 * @param folder a work tree of the repository.
 * @returns one line per secret, with the path and the object, and the number of files that were searched.
 * @throws {Error} if there is no history.
 */
export async function historySecrets(folder: string): Promise<{ found: string[]; looked: number }> {
  const list = await runCommand(['git', 'rev-list', '--objects', 'HEAD'], { cwd: folder })
  if (list.exitCode !== 0) throw new Error(`no history: ${list.stderr.trim()}`)
  const named = list.stdout.split('\n').flatMap((line) => {
    const [, id, path] = /^([0-9a-f]{40,64}) (.+)$/.exec(line) ?? []
    return id === undefined || path === undefined ? [] : [{ id, path }]
  })
  const found: string[] = []
  let looked = 0
  for await (const { path, id, text } of textsOf(folder, named)) {
    looked++
    found.push(...committedSecrets({ path, text }).map((problem) => `${problem} (${id.slice(0, 12)})`))
  }
  return { found, looked }
}

/** Reads the texts of blobs with one `git cat-file --batch` (git-cat-file(1), "BATCH OUTPUT"). */
async function* textsOf(folder: string, named: readonly { id: string; path: string }[]) {
  const child = Bun.spawn(['git', 'cat-file', '--batch', '--buffer'], {
    cwd: folder,
    stdin: new Blob(named.map(({ id }) => `${id}\n`)),
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const output = Buffer.from(await new Response(child.stdout).arrayBuffer())
  let at = 0
  for (const { id, path } of named) {
    const headEnd = output.indexOf(10, at)
    const [, type, size = '0'] = output.toString('latin1', at, headEnd).split(' ')
    const bytes = output.subarray(headEnd + 1, headEnd + 1 + Number(size))
    at = headEnd + 1 + Number(size) + 1
    if (type !== 'blob' || bytes.length > blobBytesMax || bytes.includes(0)) continue
    yield { id, path, text: bytes.toString('utf8') }
  }
}
