import type { OnProgress } from '../../service/cli/progress.ts'
import { runCommand } from '../run-command.ts'
import { aptInstall, aptInstallLine } from './apt-install.ts'
import { ServerBuildError } from './build-server.ts'

const packages = ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-base', 'ceph-common']
const programs = ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool']

/** What a person types to install Ceph RGW on Debian or Ubuntu. */
export const rgwInstallLine = aptInstallLine(packages)

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
  if (!isRgwInstalled()) await aptInstall('Ceph RGW', packages, onProgress)
  const { stdout } = await runCommand(['radosgw', '--version'])
  const version = /^ceph version (\d+\.\d+\.\d+)/.exec(stdout)?.[1]
  if (version === undefined) throw new ServerBuildError('radosgw is installed, but does not tell its version')
  return version
}
