import type { Digest, DocumentRef, VersionRef } from './document-ref.ts'
import type { Document } from './documents.ts'

/**
 * Transfers that go straight between the client and the store (ARCHITECTURE.md, "Upload tickets"): uploads by ticket into
 * `staging/`, published by `complete` after they were verified, and signed downloads. Authorisation has been
 * decided before; every failure is a `DocumentError`.
 */
export interface Transfers {
  /**
   * A ticket to upload these very bytes, or the document if they are published already: then there is
   * nothing to upload.
   *
   * @throws {DocumentError} `document_too_large`; `tickets_unavailable` where the store makes no way of it
   *   safe, `store_unknown` while that is still being found out: upload through the service then.
   */
  createUpload(
    ref: DocumentRef,
    request: UploadRequest,
  ): Promise<{ published: Document } | { ticket: UploadTicket }>

  /**
   * Verifies and publishes what was uploaded with a ticket. Can be repeated and raced: the bytes are published
   * once, and never after they were deleted.
   *
   * @returns `null` while the work still goes on: ask again.
   * @throws {DocumentError} `ticket_invalid`, `upload_expired`, `upload_not_found`, `upload_changed`,
   *   `digest_mismatch`, `busy`
   */
  completeUpload(
    ref: DocumentRef,
    id: string,
    completion: { ticket: string; by: string; traceId: string },
  ): Promise<{ document: Document; created: boolean } | null>

  /** A URL that gives the bytes as an attachment. @throws {DocumentError} `document_not_found` */
  createDownload(
    ref: VersionRef,
    options: { expiresInSeconds?: number | undefined; signal?: AbortSignal },
  ): Promise<SignedUrl>
}

export interface UploadRequest {
  digest: Digest
  size: number
  contentType: string
  by: string
  admittedAt: Date
  signal?: AbortSignal
}

/** How to send the bytes: a form with `fields` before its `file`, or a PUT with exactly these `headers`. */
export type UploadTicket = {
  id: string
  /** For `complete`; good for the subject it was made for alone. */
  ticket: string
  url: string
  /** RFC 3339: until then the upload may begin. */
  expiresAt: string
  /** RFC 3339: until then it may be completed. */
  completeBefore: string
} & (
  | { method: 'POST'; fields: Readonly<Record<string, string>> }
  | { method: 'PUT'; headers: Readonly<Record<string, string>> }
)

export interface SignedUrl {
  /** Names the URL in the audit log. */
  id: string
  url: string
  expiresAt: string
}
