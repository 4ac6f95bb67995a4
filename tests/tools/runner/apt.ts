import { mustRun } from '../../../compose/run-command.ts'

let updated = false

/** True where system packages may be installed without asking anybody. */
export function isRootOnDebian(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && Bun.which('apt-get') !== null
}

/**
 * Installs Debian packages, without what they merely recommend.
 *
 * @throws {Error} if this is not root on Debian. @throws {CommandError} if apt fails.
 */
export async function aptInstall(packages: string[]): Promise<void> {
  if (!isRootOnDebian()) throw new Error(`${packages.join(', ')}: only root may install packages`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  console.error(`installing ${packages.join(', ')}`)
  if (!updated) await mustRun(['apt-get', 'update', '--quiet'], { env })
  updated = true
  await mustRun(['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', ...packages], { env })
}
