import { findBusybox, packImage, sharedLibraries } from '../../../compose/images/pack-image.ts'
import { CommandError, mustRun } from '../../../compose/run-command.ts'
import { aptInstall } from '../../../compose/servers/apt-install.ts'
import type { DockerEnvironment } from '../../../compose/servers/docker-engine.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'

/** The default of PROXY_IMAGE. A test compares it with the overlay. */
export const proxyImage = 'haproxy:2.6.12-alpine'

/** Path of Debian's package; the image has the program where the published one does. */
const installed = '/usr/sbin/haproxy'

/**
 * Packs Debian's HAProxy into {@link proxyImage}, for tests on engines that reach no registry; program and busybox are
 * where the overlay expects them. Installs the package if it is missing, which takes root.
 *
 * @throws {CommandError} if that, tar or the engine fails, or if Debian has another version.
 */
export async function packProxyImage(env: DockerEnvironment, onProgress: OnProgress): Promise<string> {
  if (!(await Bun.file(installed).exists())) await aptInstall('haproxy', ['haproxy'], onProgress)
  const [, version = ''] = /^HAProxy version ([\d.]+)/.exec(await mustRun([installed, '-v'])) ?? []
  if (!proxyImage.includes(`:${version}-`)) {
    const stderr = `${proxyImage} cannot be packed from the installed version ${version}`
    throw new CommandError([installed, '-v'], { exitCode: 0, stdout: '', stderr })
  }
  await packImage(proxyImage, `haproxy-${version}`, env, async (work) => ({
    programs: {
      '/usr/local/sbin/haproxy': installed,
      '/bin/busybox': await findBusybox(work),
      ...(await sharedLibraries(installed)),
    },
    files: { '/etc/passwd': 'haproxy:x:99:99::/:/nonexistent\n', '/etc/group': 'haproxy:x:99:\n' },
    openFolders: ['/tmp'],
    instructions: ['USER 99:99', 'CMD ["/usr/local/sbin/haproxy", "-v"]'],
  }))
  return proxyImage
}
