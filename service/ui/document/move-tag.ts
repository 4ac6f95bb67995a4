import type { DocumentsClient } from '../../client/client.ts'
import { ProblemError } from '../../client/errors.ts'
import type { DocumentName } from '../../client/references.ts'
import type { Tag } from '../../wire/answers.ts'

/** Returns where a tag points; `null` if there is no such tag or its version was deleted. */
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
 * Points a tag at a version only if it has not moved since `seen`, so that two people do not unknowingly undo each
 * other's work.
 *
 * @param move `seen` is the ETag that was read; `undefined` if there was no such tag
 * @throws {ProblemError} `precondition_failed` if the tag was moved in the meantime
 */
export async function moveTag(
  documents: DocumentsClient,
  document: DocumentName,
  { tag, digest, seen }: { tag: string; digest: string; seen: string | undefined },
): Promise<Tag> {
  return (await documents.putTag(document, tag, digest, { ifMatch: seen })).tag
}
