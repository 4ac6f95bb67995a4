import { readFile } from 'node:fs/promises'
import type { ArchiveDownload } from '../../client/archive.ts'
import type { NamedVersion } from '../../client/batches.ts'
import type { DocumentsClient } from '../../client/client.ts'
import { ProblemError } from '../../client/errors.ts'
import { inParallel } from '../../documents/in-order.ts'
import { LocalFailure, UsageError } from '../command.ts'
import { formatBytes, printBytes, printJson, printLine } from '../output.ts'
import { startProgress } from '../progress.ts'
import { exactVersionText, parseVersion, type TypedVersion } from './reference.ts'
import { saveWhole } from './save.ts'

export interface ArchiveFlags {
  output?: string
  from?: string
  force?: boolean
  link?: boolean
  json?: boolean
}

/** Calls under way while tags are looked up. */
const lookUpsMax = 8

/**
 * Downloads versions as one tar to a file, or to standard output for `-`, and checks every byte of it. A tag is looked up
 * first: what it points to then is in the archive.
 */
export async function archiveVersions(
  client: DocumentsClient,
  versions: readonly string[],
  flags: ArchiveFlags,
  signal: AbortSignal,
): Promise<void> {
  const { output: file = 'documents.tar', from, json } = flags
  if (flags.link && (flags.output !== undefined || flags.force))
    throw new UsageError('--link saves nothing: leave --output and --force out')
  if (file === '-' && json) throw new UsageError('--json and the bytes cannot both go to standard output')
  const named = [...versions, ...(from === undefined ? [] : await linesOf(from))]
  if (named.length === 0) throw new UsageError('no version: name some, or give a list of them with --from')
  const items = await exactVersions(client, named.map(parseVersion), signal)
  if (flags.link) {
    const link = await client.archiveLink(items, { signal }).catch(namingAbsent)
    return json ? printJson(link) : printLine(link.url)
  }
  const progress = startProgress('archive')
  const open = () => client.archive(items, { onProgress: progress.onProgress, signal }).catch(namingAbsent)
  try {
    if (file === '-') return await toStandardOutput(await open())
    const { sizeBytes } = await saveWhole(file, { force: flags.force === true }, open)
    progress.stop()
    if (json) return await printJson({ file, size: sizeBytes, documents: items })
    const what = items.length === 1 ? '1 version' : `${items.length} versions`
    await printLine(`saved: ${file} has ${what} (${formatBytes(sizeBytes)})`)
  } finally {
    progress.stop()
  }
}

/** Returns the lines of a file, or of standard input for `-`, without empty ones. */
async function linesOf(file: string): Promise<string[]> {
  const text = file === '-' ? await Bun.stdin.text() : await readFile(file, 'utf8')
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** Returns each version once, by its digest. */
async function exactVersions(
  client: DocumentsClient,
  refs: readonly TypedVersion[],
  signal: AbortSignal,
): Promise<NamedVersion[]> {
  const exact = await inParallel(refs, lookUpsMax, async (ref) => {
    const { type, name } = ref
    const digest = ref.digest ?? (await client.head(ref, { signal }).catch(namingVersion(ref))).digest
    return { type, name, digest }
  })
  return [...new Map(exact.map((version) => [exactVersionText(version), version])).values()]
}

function namingVersion({ type, name, tag = 'latest' }: TypedVersion): (error: unknown) => never {
  return (error) => {
    const isAbsent = error instanceof ProblemError && error.code === 'document_not_found'
    throw isAbsent ? new LocalFailure(`there is no ${type}/${name}@${tag}`) : error
  }
}

/** @throws the error, or one that names the versions which are absent if that is what is wrong */
function namingAbsent(error: unknown): never {
  const absent = error instanceof ProblemError ? error.extensions.absent : undefined
  if (!Array.isArray(absent)) throw error
  const lines = (absent as NamedVersion[]).map((version) => `  ${exactVersionText(version)}`)
  throw new LocalFailure(['these versions do not exist, so there is no archive:', ...lines].join('\n'))
}

async function toStandardOutput({ stream }: ArchiveDownload): Promise<void> {
  for await (const chunk of stream) await printBytes(chunk)
}
