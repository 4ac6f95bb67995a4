import type { OnProgress } from '../../service/cli/progress.ts'
import { runCommand } from '../run-command.ts'
import { aptInstall, aptInstallLine } from './apt-install.ts'
import { ServerBuildError } from './build-server.ts'

const packages = ['prometheus']
const programs = ['prometheus', 'promtool']

/** What a person types to install Prometheus on Debian or Ubuntu. */
export const prometheusInstallLine = aptInstallLine(packages)

/** True if {@link installPrometheus} has nothing to do. */
export function isPrometheusInstalled(): boolean {
  return programs.every((program) => Bun.which(program) !== null)
}

/**
 * Makes sure that Prometheus and promtool are installed: as root on Debian with apt-get, if they are not there
 * yet; the service of the package is not started.
 *
 * @returns its version, such as `2.42.0`.
 * @throws {ServerBuildError} if they are missing and cannot be installed; then with the line to type.
 */
export async function installPrometheus(onProgress: OnProgress = () => {}): Promise<string> {
  if (!isPrometheusInstalled()) await aptInstall('Prometheus', packages, onProgress)
  const { stdout, stderr } = await runCommand(['prometheus', '--version'])
  const version = /^prometheus, version (\d+\.\d+\.\d+)/m.exec(stdout + stderr)?.[1]
  if (version === undefined)
    throw new ServerBuildError('prometheus is installed, but does not tell its version')
  return version
}
