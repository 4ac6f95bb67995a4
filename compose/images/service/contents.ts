import { join, resolve } from 'node:path'
import { version } from '../../../package.json'
import { mustRun } from '../../run-command.ts'
import type { ImageContents } from '../pack-image.ts'
import { sharedLibraries } from '../shared-libraries.ts'
import { debianPackagesOf } from './debian-packages.ts'
import { npmPackages } from './npm-packages.ts'
import { sbomText } from './sbom.ts'

const root = resolve(import.meta.dir, '../../..')

/** Where the image says what it is made of. */
export const sbomPath = '/usr/share/sbom/documents.cdx.json'

/** Neither image nor libraries know users or how names are looked up: glibc reads both from files. */
const accountFiles = {
  '/etc/passwd': 'documents:x:10001:10001::/:/nonexistent\n',
  '/etc/group': 'documents:x:10001:\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
}

/** What the Dockerfile says, too; a test compares the two. */
export const serviceInstructions = [
  'USER 10001:10001',
  'ENV HOST=0.0.0.0',
  'EXPOSE 8080',
  'ENTRYPOINT ["/documents"]',
  'HEALTHCHECK --interval=10s --timeout=15s --start-period=20s --retries=3 CMD ["/documents", "--health"]',
]

/**
 * Everything that is in the service's image: the executable, the libraries of glibc that it is loaded with, and the
 * three files that those read. No shell, no package manager; roots of trust are Bun's own.
 *
 * @param work an empty folder for the executable. @param revision the commit that is built.
 * @throws {CommandError} if the build fails, or this is no Debian.
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
    openFolders: [],
    instructions: [
      ...serviceInstructions,
      ...Object.entries(labels).map(([label, value]) => `LABEL ${label}="${value}"`),
    ],
  }
}

/** The files of Bun's own image on the same base: what a service that is not compiled would begin with. */
export async function bunImageContents(): Promise<ImageContents> {
  return {
    programs: { '/bin/bun': process.execPath, ...(await sharedLibraries(process.execPath)) },
    files: accountFiles,
    openFolders: ['/tmp'],
    instructions: ['USER 10001:10001', 'ENTRYPOINT ["/bin/bun"]'],
  }
}
