import type { DocumentsClient } from '../../client/client.ts'
import { ProblemError } from '../../client/errors.ts'
import type { DocumentName } from '../../client/references.ts'
import type { Tag } from '../../wire/answers.ts'

/** Where a tag points; `null` where there is none of this name, or where its version is gone. */
export async function readTag(
  documents: DocumentsClient,
  document: DocumentName,
  tag: string,
  signal?: AbortSignal,
): Promise<Tag | null> {
  try {
    return await documents.getTag(document, tag, { signal })
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'document_not_found') return null
    throw error
  }
}

/**
 * Points a tag at a version, only if it is still where `seen` says, so that two people do not undo each other's work
 * without knowing. A store that cannot compare and set gets the move without that.
 *
 * @param seen the ETag that was read; `undefined` where there was no such tag
 * @throws {ProblemError} `precondition_failed` where somebody moved it meanwhile
 */
export async function moveTag(
  documents: DocumentsClient,
  document: DocumentName,
  tag: string,
  digest: string,
  seen: string | undefined,
): Promise<{ tag: Tag; checked: boolean }> {
  try {
    const moved = await documents.putTag(document, tag, digest, { ifMatch: seen })
    return { tag: moved.tag, checked: seen !== undefined }
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'compare_and_set_unavailable') throw error
    const moved = await documents.putTag(document, tag, digest)
    return { tag: moved.tag, checked: false }
  }
}
