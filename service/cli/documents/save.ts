import { type FileHandle, link, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LocalFailure } from '../command.ts'

/**
 * Writes a download to a file next to `file` and renames it only when its last byte is verified and on disk: `file`
 * is the whole document, or what it was before. A link is followed, and a file that is replaced keeps its mode. What is
 * no file (a device, a pipe) is written to as it is, byte by byte.
 *
 * @param options.force replaces what is there
 * @returns what was downloaded; its stream has been read
 * @throws {LocalFailure} where `file` exists already or cannot be written; any error of the download
 */
export async function saveWhole<Download extends { stream: ReadableStream<Uint8Array> }>(
  file: string,
  options: { force: boolean },
  download: () => Promise<Download>,
): Promise<Download> {
  const there = await lookAt(file)
  if (there && there.kind !== 'special' && !options.force) throw alreadyThere(file)
  const opened = await download()
  const { stream } = opened
  try {
    if (there?.kind === 'special') await writeStream(await open(file, 'w'), stream)
    else await replaceWhole(there ?? { path: file, mode: undefined }, options, stream)
    return opened
  } catch (error) {
    throw localFailure(error, file)
  } finally {
    await stream.cancel().catch(() => undefined)
  }
}

/** What is at a path, links followed: a file or a folder with its mode, or something special such as a device. */
interface Found {
  kind: 'file' | 'special'
  path: string
  mode: number | undefined
}

/** @returns `null` where nothing is. A link that leads nowhere is taken for the file that it names. */
async function lookAt(file: string): Promise<Found | null> {
  try {
    const found = await stat(file)
    const isSpecial = !found.isFile() && !found.isDirectory()
    return { kind: isSpecial ? 'special' : 'file', path: await realpath(file), mode: found.mode & 0o7777 }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw localFailure(error, file)
  }
  const target = await readlink(file).catch(() => null)
  return target === null ? null : { kind: 'file', path: resolve(dirname(file), target), mode: undefined }
}

async function replaceWhole(
  { path, mode }: Pick<Found, 'path' | 'mode'>,
  { force }: { force: boolean },
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  // Short, since the name of the file may be as long as names can be.
  const unfinished = join(dirname(path), `.${crypto.randomUUID()}.part`)
  try {
    const output = await open(unfinished, 'wx')
    if (mode !== undefined) await output.chmod(mode)
    await writeStream(output, stream, { sync: true })
    await (force ? rename(unfinished, path) : renameUnlessThere(unfinished, path))
  } finally {
    await rm(unfinished, { force: true })
  }
}

async function writeStream(
  output: FileHandle,
  stream: ReadableStream<Uint8Array>,
  { sync = false }: { sync?: boolean } = {},
): Promise<void> {
  try {
    for await (const chunk of stream) await output.writeFile(chunk)
    if (sync) await output.sync()
  } finally {
    await output.close()
  }
}

/** A hard link fails where the name is taken, also by another process meanwhile; a rename would replace it. */
async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw alreadyThere(to)
    // File systems without hard links, such as FAT.
    if (await exists(to)) throw alreadyThere(to)
    await rename(from, to)
  }
}

async function exists(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  )
}

function alreadyThere(file: string): LocalFailure {
  return new LocalFailure(`${file} already exists: choose another name with -o, or replace it with --force`)
}

function localFailure(error: unknown, file: string): unknown {
  const code = codeOf(error)
  return code === undefined ? error : new LocalFailure(`${file} cannot be written: ${code}`)
}

/** Returns the code of a file system's error, such as `ENOSPC`. */
function codeOf(error: unknown): string | undefined {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown }
  return typeof code === 'string' && syscall !== undefined ? code : undefined
}
