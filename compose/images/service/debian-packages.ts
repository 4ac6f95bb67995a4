import { realpath } from 'node:fs/promises'
import { mustRun } from '../../run-command.ts'

export interface DebianPackage {
  name: string
  version: string
}

/**
 * The Debian packages that these files of this machine belong to, each once.
 *
 * @throws {CommandError} if a file belongs to none, or this is no Debian.
 */
export async function debianPackagesOf(files: readonly string[]): Promise<DebianPackage[]> {
  // dpkg knows files by the place where its package put them, which /lib as a link to /usr/lib hides.
  const places = await Promise.all(
    files.map(async (file) => (await realpath(file)).replace(/^\/usr\/lib/, '/lib')),
  )
  const owners = await mustRun(['dpkg-query', '--search', ...places])
  const names = new Set(owners.split('\n').flatMap((line) => /^([^:]+):/.exec(line)?.[1] ?? []))
  const lines = await mustRun(['dpkg-query', '--show', '--showformat', `$\{Package} $\{Version}\n`, ...names])
  return lines
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([name = '', version = '']) => ({ name, version }))
}
