import type { NamedVersion } from '../../client/batches.ts'
import type { DocumentsClient } from '../../client/client.ts'
import type { ProblemError } from '../../client/errors.ts'
import { IncompleteError, LocalFailure, UsageError } from '../command.ts'
import { failureSentence, printable, printJson, printLine } from '../output.ts'
import { exactVersionText, parseExactVersion } from './reference.ts'

export interface RemoveFlags {
  yes?: boolean
  json?: boolean
}

/** What one call of the API removes at most. */
const callItemsMax = 100

/** Removes versions permanently; asks for confirmation on a terminal. What can be removed is, whatever the others are. */
export async function removeVersions(
  client: DocumentsClient,
  versions: readonly string[],
  flags: RemoveFlags,
  signal: AbortSignal,
): Promise<void> {
  const refs = [...new Set(versions)].map(parseExactVersion)
  if (!flags.yes && !process.stdin.isTTY)
    throw new UsageError('this removes a version permanently: add --yes')
  if (!flags.yes && !confirm(`Remove ${versions.join(', ')} permanently?`))
    throw new UsageError('nothing was removed')
  const [only, ...others] = refs
  if (only && others.length === 0) {
    await client.deleteVersion(only, { signal })
    return printRemoved(only, flags)
  }
  const failures: ProblemError[] = []
  for (let first = 0; first < refs.length; first += callItemsMax) {
    const results = await client.deleteMany(refs.slice(first, first + callItemsMax), { signal })
    for (const { error, ...ref } of results) {
      if (error === null) {
        await printRemoved(ref, flags)
        continue
      }
      failures.push(error)
      process.stderr.write(
        `not removed: ${printable(`${exactVersionText(ref)}: ${failureSentence(error)}`)}\n`,
      )
    }
  }
  if (failures.length === 0) return
  const message = `${failures.length} of ${refs.length} versions were not removed`
  throw failures.every(({ status }) => status === 503)
    ? new IncompleteError(message)
    : new LocalFailure(message)
}

async function printRemoved({ type, name, digest }: NamedVersion, { json }: RemoveFlags): Promise<void> {
  if (json) await printJson({ removed: { type, name, digest } })
  else await printLine(`removed: ${exactVersionText({ type, name, digest })}`)
}
