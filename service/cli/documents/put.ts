import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { DocumentsClient } from '../../client/client.ts'
import type { DocumentName } from '../../client/references.ts'
import type { UploadSource } from '../../client/upload-body.ts'
import { type Digest, isDigest } from '../../wire/names.ts'
import { LocalFailure, UsageError } from '../command.ts'
import { formatBytes, printable, printJson, printLine } from '../output.ts'
import { startProgress } from '../progress.ts'
import { parseDocument } from './reference.ts'

export interface PutFlags {
  type?: string
  name?: string
  contentType?: string
  via?: 'auto' | 'ticket' | 'service'
  ifAbsent?: boolean
  ifLatest?: string
  json?: boolean
}

/** Uploads a file, or standard input for `-`, and prints what was stored. */
export async function putDocument(
  client: DocumentsClient,
  { file, document }: { file: string; document: string | undefined },
  flags: PutFlags,
  signal: AbortSignal,
): Promise<void> {
  const ref = targetOf(file, document, flags)
  const progress = startProgress(ref.name)
  const { contentType, via } = flags
  const ifLatest = conditionOf(flags)
  const source = await sourceOf(file)
  const stored = await client
    .put(ref, source, { contentType, via, ifLatest, onProgress: progress.onProgress, signal })
    .finally(progress.stop)
  if (stored.fallbackReason !== null) {
    process.stderr.write(`note: went through the service (${printable(stored.fallbackReason)})\n`)
  }
  if (flags.json) return printJson(stored)
  const { type, name, digest, size } = stored.document
  const outcome = stored.created ? 'stored' : 'was already stored'
  await printLine(`${outcome}: ${type}/${name}@${digest} (${formatBytes(size)})`)
}

/** Returns what must be the latest for the upload to count. @throws {UsageError} for what is no digest, or two conditions */
function conditionOf({ ifAbsent, ifLatest }: PutFlags): Digest | 'absent' | undefined {
  if (ifLatest === undefined) return ifAbsent ? 'absent' : undefined
  if (ifAbsent) throw new UsageError('give --if-absent or --if-latest, not both')
  if (!isDigest(ifLatest)) throw new UsageError(`"${ifLatest}" is not sha256:<64 hex digits>`)
  return ifLatest
}

/** Returns the document to store. @throws {UsageError} where it is not named, or named twice */
function targetOf(file: string, target: string | undefined, { type, name }: PutFlags): DocumentName {
  if (target !== undefined) {
    if (type !== undefined || name !== undefined)
      throw new UsageError('give <type>/<name> or --type and --name, not both')
    return parseDocument(target)
  }
  if (type === undefined) throw new UsageError('no document: give <type>/<name>, or --type')
  if (name === undefined && file === '-') throw new UsageError('standard input has no name: give --name')
  return { type, name: name ?? basename(file) }
}

/**
 * A large file as a Blob, which has a size and can be hashed first; everything else read to its end, because what `stat`
 * reports is not the length of a pipe, a device, or a file below `/proc` or `/sys`.
 */
export async function sourceOf(file: string): Promise<UploadSource> {
  if (file === '-') return Bun.stdin.stream()
  try {
    const found = await stat(file)
    if (found.isDirectory())
      throw new LocalFailure(`${file} is a folder: pack it first, for example with tar`)
    if (!found.isFile()) return Bun.file(file).stream()
    const unread = Bun.file(file)
    // The media type comes from the extension, and a Blob of bytes alone has none.
    return found.size > readWholeBytesMax ? unread : new Blob([await readFile(file)], { type: unread.type })
  } catch (error) {
    if (error instanceof LocalFailure) throw error
    throw new LocalFailure(`${file} cannot be read: ${(error as { code?: string }).code ?? 'unknown'}`)
  }
}

/** No file whose size is made up is reported as larger than a page. */
const readWholeBytesMax = 1024 * 1024
