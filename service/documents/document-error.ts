import type { Digest, VersionRef } from '../wire/names.ts'

/** Every way a document operation can fail that its caller can do something about. */
export type DocumentErrorCode =
  | 'document_not_found'
  | 'version_unknown'
  | 'version_tagged'
  | 'version_locked'
  | 'tag_protected'
  | 'usage_unknown'
  | 'tags_exhausted'
  | 'versions_exhausted'
  | 'precondition_failed'
  | 'digest_mismatch'
  | 'digest_required'
  | 'document_too_large'
  | 'body_incomplete'
  | 'range_unsatisfiable'
  | 'cursor_invalid'
  | 'integrity_violated'
  | 'conflict'
  | 'upload_changed'
  | 'upload_not_found'
  | 'upload_expired'
  | 'ticket_invalid'
  | 'link_expired'
  | 'tickets_unavailable'
  | 'store_unknown'
  | 'compare_and_set_unavailable'
  | 'busy'
  | 'store_unavailable'
  | 'store_refused'

/**
 * A failed document operation. `message` is a sentence for the caller: what is wrong and what to do. `cause` is for
 * the log only. `details` are members of the problem document (such as `tags`), safe to show.
 */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  /** When the same call is worth another try, if the store said so. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    readonly code: DocumentErrorCode,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options: { cause?: unknown; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, options)
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** `document_not_found`: of a document, a version, or one that the caller may not know of. */
export function versionNotFound(): DocumentError {
  return new DocumentError('document_not_found', 'There is no such document.')
}

/** `document_not_found`, with the versions that are absent as a detail. */
export function versionsNotFound(versions: readonly VersionRef[]): DocumentError {
  const absent = versions.map(({ type, name, digest }) => ({ type, name, digest }))
  const which = absent.length === 1 ? 'One of these versions does' : `${absent.length} of these versions do`
  return new DocumentError('document_not_found', `${which} not exist. See "absent".`, { absent })
}

/** `digest_mismatch`, with both digests as details. */
export function digestMismatch(declared: Digest, found: Digest): DocumentError {
  return new DocumentError(
    'digest_mismatch',
    'The bytes that arrived do not hash to the declared digest. Nothing was stored.',
    { declared, found },
  )
}

/** `document_too_large`, with the accepted number of bytes as a detail. */
export function tooLarge(bytesMax: number): DocumentError {
  return new DocumentError(
    'document_too_large',
    `The document is larger than the ${bytesMax} bytes that are accepted here.`,
    { bytesMax },
  )
}

/** `compare_and_set_unavailable`: the store refuses a condition that holds. */
export function compareAndSetUnavailable(): DocumentError {
  return new DocumentError(
    'compare_and_set_unavailable',
    'This object store cannot decide between two writers. Tell the operator: "doctor" says what follows.',
  )
}

/** `busy`: other writers were faster, again and again. */
export function contended(): DocumentError {
  return new DocumentError('busy', 'Too many clients are changing this document at once. Try again.')
}
