import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mustRun } from '../run-command.ts'
import type { DockerEnvironment } from '../servers/docker-engine.ts'
import { madeFromLabel } from './ensure-image.ts'

/** What is in an image, by absolute path in it, and what its `Dockerfile` would say. */
export interface ImageContents {
  /** Files of this machine. They become executable for everyone, and belong to root. */
  programs: Record<string, string>
  /** Text files, readable for everyone. */
  files?: Record<string, string>
  /** Symbolic links and where they point. */
  links?: Record<string, string>
  /**
   * Folders that any user may write to, as /tmp. A new volume takes its mode from here: who the container runs
   * as is decided outside.
   */
  openFolders: string[]
  /** Lines of a Dockerfile: USER, ENV, ENTRYPOINT, CMD. */
  instructions: string[]
}

/**
 * Makes an image out of files of this machine, for engines that reach no registry; for Linux. `contents` is
 * given an empty folder for what it has to unpack, which is removed in the end.
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
    const labelled = [...instructions, `LABEL ${madeFromLabel}="${madeFrom}"`]
    await importImage(root, join(work, 'root.tar'), image, labelled, env)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Puts the contents of an image below `root`, a folder that is not there yet or empty. */
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

async function importImage(
  root: string,
  tar: string,
  image: string,
  instructions: string[],
  env: DockerEnvironment,
): Promise<void> {
  // Whatever umask made the folders, every user of the container can enter them.
  const owner = ['--numeric-owner', '--owner=0', '--group=0', '--mode=a+rX']
  await mustRun(['tar', '--create', '--file', tar, '--directory', root, ...owner, '.'])
  const changes = instructions.flatMap((instruction) => ['--change', instruction])
  await mustRun(['docker', 'import', ...changes, tar, image], { env })
}
