import { mustRun } from '../run-command.ts'

/**
 * The files that a dynamically linked program of this machine is loaded with, each at the path where it looks
 * for it: its libraries and the loader itself (ldd(1)). For Linux.
 *
 * @throws {CommandError} if it is not a dynamically linked program.
 */
export async function sharedLibraries(program: string): Promise<Record<string, string>> {
  const lines = (await mustRun(['ldd', program])).split('\n')
  const paths = lines
    .map((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1])
    .filter((path) => path !== undefined)
  return Object.fromEntries(paths.map((path) => [path, path]))
}
