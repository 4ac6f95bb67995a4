import type { DocumentsClient } from '../../client/client.ts'
import type { DocumentName } from '../../client/references.ts'
import { UsageError } from '../failure.ts'
import { printJson, printLine } from '../output.ts'
import { parseDocument, parseExactVersion } from './reference.ts'

export interface TagFlags {
  remove?: boolean
  ifMatch?: string
  json?: boolean
}

/** Points a tag at a version, by default at the one that is `latest` now; or removes the tag. */
export async function tagDocument(
  client: DocumentsClient,
  document: string,
  tag: string,
  digest: string | undefined,
  flags: TagFlags,
  signal: AbortSignal,
): Promise<void> {
  const ref = parseDocument(document)
  const { ifMatch } = flags
  if (flags.remove) {
    if (digest !== undefined) throw new UsageError('--remove takes no digest')
    return removeTag(client, ref, tag, flags, signal)
  }
  const target = digest ?? (await client.head(ref, { signal })).digest
  const moved = await client.putTag(ref, tag, target, { ifMatch, signal })
  if (flags.json) return printJson(moved)
  await printLine(
    `${moved.created ? 'tagged' : 'moved'}: ${ref.type}/${ref.name}@${tag} is ${moved.tag.digest}`,
  )
}

async function removeTag(
  client: DocumentsClient,
  ref: DocumentName,
  tag: string,
  { ifMatch, json }: TagFlags,
  signal: AbortSignal,
): Promise<void> {
  await client.deleteTag(ref, tag, { ifMatch, signal })
  if (json) await printJson({ removed: { ...ref, tag } })
  else await printLine(`removed: tag ${ref.type}/${ref.name}@${tag}`)
}

export interface RemoveFlags {
  yes?: boolean
  json?: boolean
}

/** Removes one version for good; asks first where someone can answer. */
export async function removeVersion(
  client: DocumentsClient,
  version: string,
  flags: RemoveFlags,
  signal: AbortSignal,
): Promise<void> {
  const ref = parseExactVersion(version)
  if (!flags.yes && !process.stdin.isTTY) throw new UsageError('this removes a version for good: add --yes')
  if (!flags.yes && !confirm(`Remove ${version} for good?`)) throw new UsageError('nothing was removed')
  await client.deleteVersion(ref, { signal })
  if (flags.json) await printJson({ removed: ref })
  else await printLine(`removed: ${version}`)
}
