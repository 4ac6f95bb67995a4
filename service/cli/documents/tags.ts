import type { DocumentsClient } from '../../client/client.ts'
import { parseEntityTag } from '../../wire/entity-tag.ts'
import { UsageError } from '../command.ts'
import { printJson, printLine } from '../output.ts'
import { parseDocument } from './reference.ts'

export interface TagFlags {
  remove?: boolean
  ifMatch?: string
  ifAbsent?: boolean
  json?: boolean
}

/** Points a tag at a version, by default at the one that is `latest` now; or removes the tag. */
export async function tagDocument(
  client: DocumentsClient,
  { document, tag, digest }: { document: string; tag: string; digest: string | undefined },
  flags: TagFlags,
  signal: AbortSignal,
): Promise<void> {
  const ref = parseDocument(document)
  const { ifAbsent } = flags
  const ifMatch = opaqueOf(flags.ifMatch)
  if (ifAbsent && (flags.remove || ifMatch !== undefined))
    throw new UsageError('--if-absent goes with neither --remove nor --if-match')
  if (flags.remove) {
    if (digest !== undefined) throw new UsageError('--remove takes no digest')
    await client.deleteTag(ref, tag, { ifMatch, signal })
    if (flags.json) return printJson({ removed: { ...ref, tag } })
    return printLine(`removed: tag ${ref.type}/${ref.name}@${tag}`)
  }
  const target = digest ?? (await client.head(ref, { signal })).digest
  const moved = await client.putTag(ref, tag, target, { ifMatch, ifAbsent, signal })
  if (flags.json) return printJson(moved)
  await printLine(
    `${moved.created ? 'tagged' : 'moved'}: ${ref.type}/${ref.name}@${tag} is ${moved.tag.digest}`,
  )
}

/** Takes an ETag as a header shows it, in quotes, or as JSON shows it, without. */
function opaqueOf(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : (parseEntityTag(etag) ?? etag)
}
