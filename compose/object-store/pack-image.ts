import { chmod, copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DockerEnvironment } from '../docker-engine.ts'
import { mustRun } from '../run-command.ts'
import { buildServer } from '../servers/build-server.ts'
import type { OnProgress } from '../servers/progress.ts'
import { findBusybox } from './busybox.ts'

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
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'cloudlysis-image-'))
  try {
    const root = join(work, 'root')
    await mkdir(join(root, 'bin'), { recursive: true })
    for (const name of ['minio', 'mc'] as const) {
      const report: OnProgress = (doing) => onProgress(`building ${name}: ${doing}`)
      await install(await buildServer(name, { onProgress: report }), join(root, 'bin', name))
    }
    await install(await findBusybox(work), join(root, 'bin/busybox'))
    for (const applet of applets) await symlink('busybox', join(root, 'bin', applet))
    await openFolder(join(root, 'data'))
    await openFolder(join(root, 'tmp'))
    onProgress(`packing ${image}`)
    await importImage(root, join(work, 'root.tar'), image, env)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function install(from: string, to: string): Promise<void> {
  await copyFile(from, to)
  await chmod(to, 0o755)
}

/** A new volume takes its mode from here, and whoever owns the secret files has to be able to write to it. */
async function openFolder(path: string): Promise<void> {
  await mkdir(path)
  await chmod(path, 0o1777)
}

async function importImage(root: string, tar: string, image: string, env: DockerEnvironment): Promise<void> {
  const owner = ['--numeric-owner', '--owner=0', '--group=0']
  await mustRun(['tar', '--create', '--file', tar, '--directory', root, ...owner, '.'])
  const config = ['--change', 'USER 10001:10001', '--change', 'ENV PATH=/bin']
  await mustRun(['docker', 'import', ...config, tar, image], { env })
}
