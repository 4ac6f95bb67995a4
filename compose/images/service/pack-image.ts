import { join, resolve } from 'node:path'
import { version } from '../../../package.json'
import { mustRun, runCommand } from '../../run-command.ts'
import type { DockerEnvironment } from '../../servers/docker-engine.ts'
import { type ImageContents, packImage, sharedLibraries } from '../pack-image.ts'
import { debianPackagesOf, npmPackages, sbomText } from './sbom.ts'

/** The default of DOCUMENTS_IMAGE. A test compares it with the compose file. */
export const serviceImage = `cloudlysis/documents:${version}`
/** Image of Bun alone, for comparison. */
export const bunImage = `cloudlysis/bun:${Bun.version}`

export interface PackedImage {
  image: string
  bytes: number
  /** CycloneDX, the same text as in the image. */
  sbom: string
}

/**
 * Packs the service into `image` from this machine's own files; no registry is needed. For Debian Linux.
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

/** Returns the commit, with `-modified` if the files differ from it. */
async function revisionOf(): Promise<string> {
  const describe = ['git', 'describe', '--always', '--abbrev=40', '--dirty=-modified']
  const { exitCode, stdout } = await runCommand(describe)
  return exitCode === 0 ? stdout.trim() : 'unknown'
}

const root = resolve(import.meta.dir, '../../..')

/** Path of the SBOM in the image. */
export const sbomPath = '/usr/share/sbom/documents.cdx.json'

/** glibc reads users, and how names are looked up, from files. */
const accountFiles = {
  '/etc/passwd': 'documents:x:10001:10001::/:/nonexistent\n',
  '/etc/group': 'documents:x:10001:\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}

/** The same as in the Dockerfile; a test compares the two. */
export const serviceInstructions = [
  'USER 10001:10001',
  'ENV HOST=0.0.0.0',
  'EXPOSE 8080',
  'ENTRYPOINT ["/documents"]',
  'HEALTHCHECK --interval=10s --timeout=15s --start-period=20s --retries=3 CMD ["/documents", "--health"]',
]

/**
 * Builds the content of the service's image: the executable, the libraries of glibc that it is loaded with, and the
 * three files that those read. No shell, no package manager; roots of trust are Bun's own.
 *
 * @param work an empty folder for the executable. @param revision the commit that is built.
 * @throws {CommandError} if the build fails, or this is not Debian.
 */
export async function serviceImageContents(work: string, revision: string): Promise<ImageContents> {
  const executable = join(work, 'documents')
  await mustRun([process.execPath, 'service/cli/build/build.ts', '--outfile', executable], { cwd: root })
  const libraries = await sharedLibraries(executable)
  const debian = await debianPackagesOf(Object.values(libraries))
  const labels = {
    'org.opencontainers.image.title': 'cloudlysis-documents',
    'org.opencontainers.image.description':
      'Versioned, content-addressed documents in any S3-compatible store',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': revision,
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'cloudlysis.base': debian.map((part) => `${part.name}=${part.version}`).join(' '),
    'cloudlysis.sbom': sbomPath,
  }
  return {
    programs: { '/documents': executable, ...libraries },
    files: { ...accountFiles, [sbomPath]: sbomText(await npmPackages(), debian) },
    // Where the stacks mount the volume of the audit log.
    openFolders: ['/audit'],
    instructions: [
      ...serviceInstructions,
      ...Object.entries(labels).map(([label, value]) => `LABEL ${label}="${value}"`),
    ],
  }
}

/** The files of Bun's own image on the same base, with which a service that is not compiled would start. */
async function bunImageContents(): Promise<ImageContents> {
  return {
    programs: { '/bin/bun': process.execPath, ...(await sharedLibraries(process.execPath)) },
    files: accountFiles,
    openFolders: ['/tmp'],
    instructions: ['USER 10001:10001', 'ENTRYPOINT ["/bin/bun"]'],
  }
}
