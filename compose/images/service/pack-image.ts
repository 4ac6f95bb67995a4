import { version } from '../../../package.json'
import { mustRun, runCommand } from '../../run-command.ts'
import type { DockerEnvironment } from '../../servers/docker-engine.ts'
import { packImage } from '../pack-image.ts'
import { bunImageContents, sbomPath, serviceImageContents } from './contents.ts'

/** The default of DOCUMENTS_IMAGE. A test compares it with the compose file. */
export const serviceImage = `cloudlysis/documents:${version}`
export const bunImage = `cloudlysis/bun:${Bun.version}`

export interface PackedImage {
  image: string
  bytes: number
  /** CycloneDX, the same text as in the image. */
  sbom: string
}

/**
 * Packs the service into `image`, from this machine's own files: no registry is needed. For Linux, Debian.
 *
 * @throws {CommandError} if the build, tar or the engine fails.
 */
export async function packServiceImage(image: string, env: DockerEnvironment): Promise<PackedImage> {
  const revision = await revisionOf()
  let sbom = ''
  await packImage(image, revision, env, async (work) => {
    const contents = await serviceImageContents(work, revision)
    sbom = contents.files?.[sbomPath] ?? ''
    return contents
  })
  return { image, bytes: await bytesOf(image, env), sbom }
}

/** Packs Bun alone on the same base, for comparison. */
export async function packBunImage(env: DockerEnvironment): Promise<{ image: string; bytes: number }> {
  await packImage(bunImage, Bun.version, env, bunImageContents)
  return { image: bunImage, bytes: await bytesOf(bunImage, env) }
}

async function bytesOf(image: string, env: DockerEnvironment): Promise<number> {
  return Number(await mustRun(['docker', 'image', 'inspect', '--format', '{{.Size}}', image], { env }))
}

/** The commit, with `-modified` if it is not what is built. */
async function revisionOf(): Promise<string> {
  const { exitCode, stdout } = await runCommand([
    'git',
    'describe',
    '--always',
    '--abbrev=40',
    '--dirty=-modified',
  ])
  return exitCode === 0 ? stdout.trim() : 'unknown'
}
