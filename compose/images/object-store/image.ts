import { join } from 'node:path'
import type { OnProgress } from '../../../service/cli/progress.ts'
import { mustRun } from '../../run-command.ts'
import { buildServer, findGo, isServerBuilt } from '../../servers/build-server.ts'
import type { DockerEnvironment } from '../../servers/docker-engine.ts'
import { builtFrom } from '../../servers/server-recipe.ts'
import { ensureImage } from '../ensure-image.ts'
import { findBusybox, packImage } from '../pack-image.ts'

/** The default of OBJECT_STORE_IMAGE. A test compares it with the compose files and with MinIO's pin. */
export const objectStoreImage = 'cloudlysis/object-store:minio-7aac2a2c5b7c'

/**
 * Makes sure that the engine has the object store's image: uses an existing one, otherwise packs it from natively built
 * binaries (Linux with Go), otherwise builds it from its Dockerfile. An image that the operator chose
 * (OBJECT_STORE_IMAGE) is only pulled.
 *
 * @returns the image's name.
 * @throws {CommandError} if the engine can neither build nor pull it. @throws {ServerBuildError} if a native
 *   build fails.
 */
export function ensureObjectStoreImage(env: DockerEnvironment, onProgress: OnProgress): Promise<string> {
  const source = {
    standard: objectStoreImage,
    chosen: env.OBJECT_STORE_IMAGE,
    packsFirst: canPack,
    madeFrom: () => builtFrom('minio', 'mc'),
    pack: (madeFrom: string) => packObjectStoreImage(madeFrom, env, onProgress),
    otherwise: () => {
      onProgress(`building ${objectStoreImage}`)
      return dockerBuild(env)
    },
  }
  return ensureImage(source, env, onProgress)
}

/** Binaries of this machine run in its engine's containers only if both are Linux. */
async function canPack(): Promise<boolean> {
  if (process.platform !== 'linux') return false
  return findGo() !== null || ((await isServerBuilt('minio')) && (await isServerBuilt('mc')))
}

/** What the scripts of the stack and the health check call. */
const applets = ['cat', 'grep', 'sed', 'sh', 'wget']

/**
 * Packs natively built static binaries, as `Dockerfile` does with base images: MinIO, mc and busybox in /bin, a /data
 * that any user may write to, user 10001. For Linux.
 *
 * @throws {ServerBuildError} if a build fails. @throws {CommandError} if tar or the engine fails, or without a static
 *   busybox.
 */
async function packObjectStoreImage(
  madeFrom: string,
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<void> {
  const build = (name: 'minio' | 'mc') =>
    buildServer(name, { onProgress: (doing) => onProgress(`building ${name}: ${doing}`) })
  await packImage(objectStoreImage, madeFrom, env, async (work) => {
    const [minio, mc] = [await build('minio'), await build('mc')]
    const busybox = await findBusybox(work)
    onProgress(`packing ${objectStoreImage}`)
    return {
      programs: { '/bin/minio': minio, '/bin/mc': mc, '/bin/busybox': busybox },
      links: Object.fromEntries(applets.map((applet) => [`/bin/${applet}`, 'busybox'])),
      openFolders: ['/data', '/tmp'],
      instructions: ['USER 10001:10001', 'ENV PATH=/bin'],
    }
  })
}

async function dockerBuild(env: DockerEnvironment): Promise<void> {
  const dockerfile = join(import.meta.dir, 'Dockerfile')
  const context = join(import.meta.dir, '../../servers')
  await mustRun(['docker', 'build', '--tag', objectStoreImage, '--file', dockerfile, context], {
    env,
    secondsMax: 1800,
  })
}
