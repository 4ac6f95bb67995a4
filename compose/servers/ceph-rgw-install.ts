import { runCommand } from '../run-command.ts'
import { ServerBuildError } from './build-server.ts'
import type { OnProgress } from './progress.ts'

const packages = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-base', 'ceph-common']
const programs = ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool']

/** What a person types to install Ceph RGW on Debian or Ubuntu. */
export const rgwInstallLine = `sudo apt-get install --yes --no-install-recommends ${packages.join(' ')}`

/** True if {@link installRgw} has nothing to do. */
export function isRgwInstalled(): boolean {
  return programs.every((program) => Bun.which(program) !== null)
}

/**
 * Makes sure that Ceph's programs are installed: as root on Debian with apt-get, if they are not there yet.
 *
 * @returns Ceph's version, such as `16.2.15`: the one of the system's release, which decides what RGW does.
 * @throws {ServerBuildError} if they are missing and cannot be installed; then with the line to type.
 */
export async function installRgw(onProgress: OnProgress = () => {}): Promise<string> {
  if (!isRgwInstalled()) await aptInstall(onProgress)
  const { stdout } = await runCommand(['radosgw', '--version'])
  const version = /^ceph version (\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (version === undefined) throw new ServerBuildError('radosgw is installed, but does not tell its version')
  return version
}

async function aptInstall(onProgress: OnProgress): Promise<void> {
  if (Bun.which('apt-get') === null || process.getuid?.() !== 0) {
    throw new ServerBuildError(
      `Ceph RGW is not installed, and only root on Debian may install it: ${rgwInstallLine}`,
    )
  }
  // Other installations may be under way, and wait for the same lock.
  const options = ['--quiet', '--option', 'DPkg::Lock::Timeout=300']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  onProgress('updating the package lists')
  await runCommand(['apt-get', ...options, 'update'], { env })
  onProgress('installing Debian packages')
  const install = ['install', '--yes', '--no-install-recommends', ...packages]
  const { exitCode, stderr } = await runCommand(['apt-get', ...options, ...install], { env })
  if (exitCode !== 0 || !isRgwInstalled()) {
    throw new ServerBuildError(`installing Ceph RGW failed:\n${stderr.trimEnd().slice(-2000)}`)
  }
}
