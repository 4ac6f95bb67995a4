import { join } from 'node:path'
import type { OnProgress } from '../../../service/cli/progress.ts'
import { mustRun } from '../../run-command.ts'
import { findGo, isServerBuilt } from '../../servers/build-server.ts'
import type { DockerEnvironment } from '../../servers/docker-engine.ts'
import { builtFrom } from '../../servers/server-recipe.ts'
import { ensureImage } from '../ensure-image.ts'
import { packObjectStoreImage } from './pack-image.ts'

/** The default of OBJECT_STORE_IMAGE. A test compares it with the compose files and with MinIO's pin. */
export const objectStoreImage = 'cloudlysis/object-store:minio-7aac2a2c5b7c'

/**
 * Makes sure that the engine has the object store's image: takes the one that is there, else packs it from
 * natively built binaries (Linux with Go), else builds it from its Dockerfile. An image of the user's own
 * choice (OBJECT_STORE_IMAGE) is pulled instead.
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
    pack: (madeFrom: string) => packObjectStoreImage(objectStoreImage, madeFrom, env, onProgress),
    otherwise: () => {
      onProgress(`building ${objectStoreImage}`)
      return dockerBuild(objectStoreImage, env)
    },
  }
  return ensureImage(source, env, onProgress)
}

/** Binaries of this machine run in its engine's containers only where both are Linux. */
async function canPack(): Promise<boolean> {
  if (process.platform !== 'linux') return false
  return findGo() !== null || ((await isServerBuilt('minio')) && (await isServerBuilt('mc')))
}

async function dockerBuild(image: string, env: DockerEnvironment): Promise<void> {
  const dockerfile = join(import.meta.dir, 'Dockerfile')
  const context = join(import.meta.dir, '../../servers')
  await mustRun(['docker', 'build', '--tag', image, '--file', dockerfile, context], { env, secondsMax: 1800 })
}
