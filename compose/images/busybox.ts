import { join } from 'node:path'
import { mustRun, runCommand } from '../run-command.ts'

/**
 * Path of a statically linked busybox: the machine's own, else the one of the Debian package
 * `busybox-static`, downloaded into `folder` without installing it.
 *
 * @throws {CommandError} if there is neither.
 */
export async function findBusybox(folder: string): Promise<string> {
  const installed = Bun.which('busybox')
  if (installed !== null && (await isStatic(installed))) return installed
  await mustRun(['apt-get', 'download', 'busybox-static'], { cwd: folder })
  const [deb = ''] = await Array.fromAsync(new Bun.Glob('busybox-static_*.deb').scan(folder))
  await mustRun(['dpkg-deb', '--extract', deb, 'busybox'], { cwd: folder })
  const [unpacked = ''] = await Array.fromAsync(new Bun.Glob('busybox/**/bin/busybox').scan(folder))
  return join(folder, unpacked)
}

/** The dynamic loader lists a program's libraries, and refuses (or lists none for) one that has none. */
async function isStatic(program: string): Promise<boolean> {
  const { exitCode, stdout } = await runCommand(['ldd', program])
  return exitCode !== 0 || stdout.includes('statically linked')
}
