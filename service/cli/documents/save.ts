import { link, lstat, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Download, VersionInfo } from '../../client/download.ts'
import { LocalFailure } from '../command.ts'

/**
 * Writes a download to a file next to `file` and renames it only when its last byte is verified and on disk: `file`
 * is the whole document, or what it was before.
 *
 * @param options.force replaces what is there
 * @throws {LocalFailure} where `file` exists already or cannot be written; any error of the download
 */
export async function saveWhole(
  file: string,
  options: { force: boolean },
  download: () => Promise<Download>,
): Promise<VersionInfo> {
  if (!options.force && (await exists(file))) throw alreadyThere(file)
  const { version, stream } = await download()
  const unfinished = join(dirname(file), `.${basename(file)}.${crypto.randomUUID()}.part`)
  try {
    await writeStream(unfinished, stream)
    await (options.force ? rename(unfinished, file) : renameUnlessThere(unfinished, file))
    return version
  } catch (error) {
    throw localFailure(error, file)
  } finally {
    await stream.cancel().catch(() => undefined)
    await rm(unfinished, { force: true })
  }
}

async function writeStream(file: string, stream: ReadableStream<Uint8Array>): Promise<void> {
  const output = await open(file, 'wx')
  try {
    for await (const chunk of stream) await output.writeFile(chunk)
    await output.sync()
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
