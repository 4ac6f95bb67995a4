import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mustRun, runCommand } from '../run-command.ts'
import type { DockerEnvironment } from '../servers/docker-engine.ts'
import { madeFromLabel } from './ensure-image.ts'

/** The content of an image by absolute path in it, and the lines that its `Dockerfile` would have. */
export interface ImageContents {
  /** Files of this machine. In the image they are executable by everyone and belong to root. */
  programs: Record<string, string>
  /** Text files, readable for everyone. */
  files?: Record<string, string>
  /** Symbolic links and where they point. */
  links?: Record<string, string>
  /**
   * Folders that any user may write to, like /tmp. A new volume takes its mode from here, because the user of the
   * container is chosen outside.
   */
  openFolders: string[]
  /** Lines of a Dockerfile: USER, ENV, ENTRYPOINT, CMD. */
  instructions: string[]
}

/**
 * Packs an image from files of this machine, for engines that reach no registry; for Linux. `contents` receives an
 * empty folder for what it has to unpack, which is removed at the end.
 *
 * @param madeFrom kept as a label of the image.
 * @throws {CommandError} if tar or the engine fails, and whatever `contents` throws.
 */
export async function packImage(
  image: string,
  madeFrom: string,
  env: DockerEnvironment,
  contents: (work: string) => Promise<ImageContents>,
): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'cloudlysis-image-'))
  try {
    const unpacked = join(work, 'unpacked')
    await mkdir(unpacked)
    const root = join(work, 'root')
    const { instructions, ...rest } = await contents(unpacked)
    await layOut(root, rest)
    const tar = join(work, 'root.tar')
    // Every user of the container can enter the folders, whatever umask created them.
    const owner = ['--numeric-owner', '--owner=0', '--group=0', '--mode=a+rX']
    await mustRun(['tar', '--create', '--file', tar, '--directory', root, ...owner, '.'])
    const labelled = [...instructions, `LABEL ${madeFromLabel}="${madeFrom}"`]
    const changes = labelled.flatMap((instruction) => ['--change', instruction])
    await mustRun(['docker', 'import', ...changes, tar, image], { env })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Writes the contents of an image below `root`, a folder that is absent or empty. */
export async function layOut(root: string, contents: Omit<ImageContents, 'instructions'>): Promise<void> {
  const place = async (path: string) => {
    const placed = join(root, path)
    await mkdir(dirname(placed), { recursive: true })
    return placed
  }
  for (const [path, from] of Object.entries(contents.programs)) {
    const placed = await place(path)
    await copyFile(from, placed)
    await chmod(placed, 0o755)
  }
  for (const [path, text] of Object.entries(contents.files ?? {})) {
    await writeFile(await place(path), text, { mode: 0o644 })
  }
  for (const [path, target] of Object.entries(contents.links ?? {})) await symlink(target, await place(path))
  for (const path of contents.openFolders) {
    const placed = await place(path)
    await mkdir(placed)
    await chmod(placed, 0o1777)
  }
}

/**
 * Returns the path of a statically linked busybox: the machine's own, otherwise the one of the Debian package
 * `busybox-static`, downloaded into `folder` without installing it.
 *
 * @throws {CommandError} if neither can be had.
 */
export async function findBusybox(folder: string): Promise<string> {
  const installed = Bun.which('busybox')
  if (installed !== null && (await isStatic(installed))) return installed
  await mustRun(['apt-get', 'download', 'busybox-static'], { cwd: folder })
  const [deb = ''] = await Array.fromAsync(new Bun.Glob('busybox-static_*.deb').scan(folder))
  await mustRun(['dpkg-deb', '--extract', deb, 'busybox'], { cwd: folder })
  const [unpacked = ''] = await Array.fromAsync(new Bun.Glob('busybox/**/bin/busybox').scan(folder))
  return join(folder, unpacked)
}

/** The dynamic loader lists a program's libraries, and refuses (or lists none for) one that has none. */
async function isStatic(program: string): Promise<boolean> {
  const { exitCode, stdout } = await runCommand(['ldd', program])
  return exitCode !== 0 || stdout.includes('statically linked')
}

/**
 * Returns the files that a dynamically linked program of this machine is loaded with, each at the path where it looks
 * for it: its libraries and the loader itself (ldd(1)). For Linux.
 *
 * @throws {CommandError} if it is not a dynamically linked program.
 */
export async function sharedLibraries(program: string): Promise<Record<string, string>> {
  const lines = (await mustRun(['ldd', program])).split('\n')
  const paths = lines
    .map((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1])
    .filter((path) => path !== undefined)
  return Object.fromEntries(paths.map((path) => [path, path]))
}
