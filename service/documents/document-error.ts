/** Every way a document operation can fail that its caller can do something about. */
export type DocumentErrorCode =
  | 'document_not_found'
  | 'version_unknown'
  | 'version_tagged'
  | 'version_locked'
  | 'tag_protected'
  | 'precondition_failed'
  | 'digest_mismatch'
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
  | 'tickets_unavailable'
  | 'store_unknown'
  | 'compare_and_set_unavailable'
  | 'busy'
  | 'store_unavailable'
  | 'store_refused'

/**
 * `message` is a sentence for the caller: what is wrong and what to do. `cause` is for the log only.
 * `details` are members of the problem document (such as `tags`), safe to show.
 */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  /** When the same call is worth another try, where the store said so. */
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
