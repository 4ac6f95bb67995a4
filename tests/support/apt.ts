import { mustRun } from '../../compose/run-command.ts'

let packageListsUpdated = false

/** Tells whether system packages may be installed without asking anyone. */
export function isRootOnDebian(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && Bun.which('apt-get') !== null
}

/**
 * Installs Debian packages, without those that they merely recommend.
 *
 * @throws {Error} if this is not root on Debian. @throws {CommandError} if apt fails.
 */
export async function aptInstall(packages: string[]): Promise<void> {
  if (!isRootOnDebian()) throw new Error(`${packages.join(', ')}: only root may install packages`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  console.error(`installing ${packages.join(', ')}`)
  if (!packageListsUpdated) await mustRun(['apt-get', 'update', '--quiet'], { env })
  packageListsUpdated = true
  await mustRun(['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', ...packages], { env })
}
