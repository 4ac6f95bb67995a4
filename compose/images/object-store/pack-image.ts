import type { OnProgress } from '../../../service/cli/progress.ts'
import { buildServer } from '../../servers/build-server.ts'
import type { DockerEnvironment } from '../../servers/docker-engine.ts'
import { findBusybox } from '../busybox.ts'
import { packImage } from '../pack-image.ts'

/** What the scripts beside this file and the health check call. */
const applets = ['cat', 'grep', 'sed', 'sh', 'wget']

/**
 * Packs natively built static binaries into `image`, as `Dockerfile` would with base images: MinIO, mc and
 * busybox in /bin, a /data that any user may write to, user 10001. For Linux.
 *
 * @throws {ServerBuildError} if a build fails. @throws {CommandError} if tar or the engine fails, or if there
 *   is no static busybox to be had.
 */
export async function packObjectStoreImage(
  image: string,
  madeFrom: string,
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<void> {
  const build = (name: 'minio' | 'mc') =>
    buildServer(name, { onProgress: (doing) => onProgress(`building ${name}: ${doing}`) })
  await packImage(image, madeFrom, env, async (work) => {
    const [minio, mc] = [await build('minio'), await build('mc')]
    const busybox = await findBusybox(work)
    onProgress(`packing ${image}`)
    return {
      programs: { '/bin/minio': minio, '/bin/mc': mc, '/bin/busybox': busybox },
      links: Object.fromEntries(applets.map((applet) => [`/bin/${applet}`, 'busybox'])),
      openFolders: ['/data', '/tmp'],
      instructions: ['USER 10001:10001', 'ENV PATH=/bin'],
    }
  })
}
