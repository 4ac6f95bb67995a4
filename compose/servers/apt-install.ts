import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import type { OnProgress } from '../../service/cli/progress.ts'
import { runCommand } from '../run-command.ts'
import { ServerBuildError } from './build-server.ts'

/** Programs that come from Debian packages. */
export interface DebianPrograms {
  /** Shown in errors, such as `Ceph RGW`. */
  title: string
  packages: readonly string[]
  programs: readonly string[]
  /** Command that prints the version, and where the version stands in its output. */
  version: { argv: string[]; form: RegExp }
}

/**
 * Returns how to install these programs:
 * - `installLine`: the command that an operator types on Debian or Ubuntu.
 * - `isInstalled`: true if `install` has nothing to do.
 * - `install`: installs them if need be, as root on Debian, and resolves to their version, such as `2.42.0`.
 *   It throws a {@link ServerBuildError} if they are missing and cannot be installed.
 */
export function debianPrograms({ title, packages, programs, version }: DebianPrograms) {
  const isInstalled = () => programs.every((program) => Bun.which(program) !== null)
  return {
    installLine: aptInstallLine(packages),
    isInstalled,
    async install(onProgress: OnProgress = () => {}): Promise<string> {
      if (!isInstalled()) await aptInstall(title, packages, onProgress)
      const { stdout, stderr } = await runCommand(version.argv)
      const found = version.form.exec(stdout + stderr)?.[1]
      if (found !== undefined) return found
      throw new ServerBuildError(`${title} is installed, but ${version.argv.join(' ')} prints no version`)
    },
  }
}

function aptInstallLine(packages: readonly string[]): string {
  return `sudo apt-get install --yes --no-install-recommends ${packages.join(' ')}`
}

/**
 * Installs Debian packages as root, without recommended packages and without starting their services.
 *
 * @param title shown in errors.
 * @throws {ServerBuildError} if this is not root on Debian, then with the line to type; or if apt-get fails.
 */
export async function aptInstall(
  title: string,
  packages: readonly string[],
  onProgress: OnProgress,
): Promise<void> {
  if (Bun.which('apt-get') === null || process.getuid?.() !== 0) {
    const line = aptInstallLine(packages)
    throw new ServerBuildError(`${title} is not installed, and only root on Debian may install it: ${line}`)
  }
  // Other installations may be under way, and wait for the same lock.
  const options = ['--quiet', '--option', 'DPkg::Lock::Timeout=300']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  onProgress('updating the package lists')
  await runCommand(['apt-get', ...options, 'update'], { env })
  onProgress('installing Debian packages')
  const install = ['apt-get', ...options, 'install', '--yes', '--no-install-recommends', ...packages]
  const { exitCode, stderr } = await withoutStartingServices(() => runCommand(install, { env }))
  if (exitCode !== 0) {
    throw new ServerBuildError(`installing ${title} failed:\n${stderr.trimEnd().slice(-2000)}`)
  }
}

/** Asked by invoke-rc.d(8) and systemd's helpers before a package starts its service; 101 forbids it. */
const policyFile = '/usr/sbin/policy-rc.d'

async function withoutStartingServices<T>(install: () => Promise<T>): Promise<T> {
  // An existing policy is the operator's decision.
  if (existsSync(policyFile)) return install()
  await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return await install()
  } finally {
    await rm(policyFile, { force: true })
  }
}
