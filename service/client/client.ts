import type { Document, ListedVersion, Tag } from '../documents/documents.ts'
import {
  type Download,
  type DownloadOptions,
  head,
  open,
  type VersionInfo,
  type VersionName,
} from './download.ts'
import { type ListFilter, listPage, type Page, type PageOptions, rowsOf, versionsPage } from './pages.ts'
import { type DocumentName, versionPath } from './references.ts'
import { deleteTag, getTag, putTag, type TagOptions } from './tags.ts'
import { type ConnectionOptions, createSend, type Send } from './transport.ts'
import { put, type Uploaded } from './upload.ts'
import type { UploadOptions, UploadSource } from './upload-body.ts'

/**
 * The documents of one tenant, over the HTTP API (design, section 3). Every method rejects with
 * - `ProblemError` where the service said no (`code`, `status`, `detail`, `traceId`, `retryAfterSeconds`),
 * - `ConnectionError` where there was no answer or the connection broke,
 * - `ProtocolError` where the answer breaks the API's contract,
 * - `ArgumentError` where an argument could only be refused; nothing was sent,
 * - the signal's reason where `signal` was aborted.
 *
 * No error holds the token. Nothing is retried: `retryAfterSeconds` says when a retry makes sense, and `put` is
 * safe to repeat.
 */
export interface DocumentsClient {
  /**
   * Publishes bytes under their SHA-256 and moves `latest` to them. Blobs and bytes are hashed first and sent
   * with `Repr-Digest` (RFC 9530); a stream is hashed while it is sent, and the service's digest compared after.
   *
   * @throws {DigestMismatchError} the service stored other bytes than were sent
   * @throws {SizeMismatchError} a stream of another size than `options.size`; nothing was published
   */
  put(ref: DocumentName, body: UploadSource, options?: UploadOptions): Promise<Uploaded>

  /**
   * Opens a version, by tag (default `latest`) or digest. `stream` hashes as it is read and holds its last chunk
   * back: it closes only if size and SHA-256 agree, and otherwise errors with `DigestMismatchError`,
   * `SizeMismatchError` or `ConnectionError`. Of a `range`, only the number of bytes can be checked.
   *
   * @throws {DigestMismatchError} the answer is for another digest than the one asked for
   */
  get(ref: VersionName, options?: DownloadOptions): Promise<Download>

  /** `get`, read to its end: for documents that fit in memory. @throws also what the stream errors with */
  getBytes(ref: VersionName, options?: DownloadOptions): Promise<{ version: VersionInfo; bytes: Uint8Array }>

  /** What `get` says about the version, without its bytes. */
  head(ref: VersionName, options?: CallOptions): Promise<VersionInfo>

  /** All versions that match, in the store's order, over as many pages of `limit` rows as it takes. */
  list(query?: ListFilter & Omit<PageOptions, 'cursor'>): AsyncGenerator<ListedVersion, void, undefined>

  listPage(query?: ListFilter & PageOptions): Promise<Page<ListedVersion>>

  /** All versions of one document, newest first, with their tags, over pages of `limit` rows. */
  versions(
    ref: DocumentName,
    options?: Omit<PageOptions, 'cursor'>,
  ): AsyncGenerator<Document, void, undefined>

  versionsPage(ref: DocumentName, options?: PageOptions): Promise<Page<Document>>

  /** Removes a version for good. Needs `documents:admin`. */
  deleteVersion(ref: DocumentName & { digest: string }, options?: CallOptions): Promise<void>

  getTag(ref: DocumentName, tag: string, options?: CallOptions): Promise<Tag>

  /** Points a tag at a version, with `ifMatch` only if it has not moved: else a `ProblemError` with status 412. */
  putTag(
    ref: DocumentName,
    tag: string,
    digest: string,
    options?: TagOptions,
  ): Promise<{ tag: Tag; created: boolean }>

  deleteTag(ref: DocumentName, tag: string, options?: TagOptions): Promise<void>
}

export interface CallOptions {
  signal?: AbortSignal | undefined
}

/**
 * A client for one tenant. Opens nothing by itself; safe to share.
 *
 * @throws {ArgumentError} for a URL or a tenant without its form
 */
export function createDocumentsClient(options: ConnectionOptions): DocumentsClient {
  const { tenant } = options
  const send = createSend(options)
  return {
    put: (ref, body, given = {}) => put(send, ref, body, given),
    get: (ref, given = {}) => open(send, tenant, ref, given),
    getBytes: (ref, given = {}) => getBytes(send, tenant, ref, given),
    head: (ref, { signal } = {}) => head(send, tenant, ref, signal),
    list: (query = {}) => rowsOf((cursor) => listPage(send, { ...query, cursor })),
    listPage: (query = {}) => listPage(send, query),
    versions: (ref, given = {}) => rowsOf((cursor) => versionsPage(send, ref, { ...given, cursor })),
    versionsPage: (ref, given = {}) => versionsPage(send, ref, given),
    deleteVersion: (ref, { signal } = {}) => deleteVersion(send, ref, signal),
    getTag: (ref, tag, { signal } = {}) => getTag(send, ref, tag, signal),
    putTag: (ref, tag, digest, given = {}) => putTag(send, ref, tag, digest, given),
    deleteTag: (ref, tag, given = {}) => deleteTag(send, ref, tag, given),
  }
}

async function getBytes(send: Send, tenant: string, ref: VersionName, options: DownloadOptions) {
  const { version, stream } = await open(send, tenant, ref, options)
  // Not `new Response(stream).bytes()`: Safari before 18 and Node 20 have no `bytes`.
  return { version, bytes: new Uint8Array(await new Response(stream).arrayBuffer()) }
}

async function deleteVersion(
  send: Send,
  ref: DocumentName & { digest: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  const answer = await send({ method: 'DELETE', path: versionPath(ref, ref.digest), signal })
  await answer.response.body?.cancel()
}
