import type { Document, ListedName, ListedVersion, Tag, TagChanges, Usage } from '../wire/answers.ts'
import type { ArchiveDownload, ArchiveOptions } from './archive.ts'
import type { NamedVersion, Outcome } from './batches.ts'
import { createDownload, type DownloadUrl, type DownloadUrlOptions, openDirect } from './direct-download.ts'
import {
  type Download,
  type DownloadOptions,
  head,
  open,
  type VersionInfo,
  type VersionName,
} from './download.ts'
import { type HistoryOptions, history } from './history.ts'
import {
  type ListFilter,
  listPage,
  type NamesFilter,
  namesPage,
  type Page,
  type PageOptions,
  rowsOf,
  type TaggedFilter,
  taggedPage,
  typesPage,
  versionsPage,
} from './pages.ts'
import { type DocumentName, versionPath } from './references.ts'
import { deleteTag, getTag, putTag, type TagOptions, tagsOf } from './tags.ts'
import { transferLimits } from './transfer-limits.ts'
import { type ConnectionOptions, createSend, type Send } from './transport.ts'
import { put, type Uploaded } from './upload.ts'
import type { UploadOptions, UploadSource } from './upload-body.ts'
import { usage } from './usage.ts'
import { type WatchOptions, watchTag } from './watch.ts'

/**
 * The documents of one tenant, over the HTTP API (ARCHITECTURE.md, "The API"). Every method rejects with
 * - `ProblemError` if the service refused (`code`, `status`, `detail`, `traceId`, `retryAfterSeconds`),
 * - `ConnectionError` if there was no answer or the connection broke,
 * - `ProtocolError` if the answer breaks the API's contract,
 * - `ArgumentError` if the service could only refuse an argument; nothing was sent,
 * - the reason of `signal` if it was aborted.
 *
 * No error holds the token or a signed URL. Calls to the service are not retried: `retryAfterSeconds` says when a
 * retry makes sense. The calls of an upload by ticket are, a bounded number of times, and a download whose connection
 * breaks is continued. `put` is safe to repeat.
 */
export interface DocumentsClient {
  /**
   * Publishes bytes under their SHA-256 and moves `latest` to them. Blobs and bytes are hashed first and sent
   * with `Repr-Digest` (RFC 9530); a stream is hashed while it is sent, and the service's digest compared after.
   *
   * Large Blobs and bytes (`transfers.ticketBytesMin`) go straight to the object store with a ticket, and the
   * service verifies them before it publishes them. If it gives no tickets, or the store cannot be reached or
   * refuses, they go through the service: `via` and `fallbackReason` say so.
   *
   * @throws {DigestMismatchError} the service stored other bytes than were sent
   * @throws {SizeMismatchError} a stream of another size than `options.size`; nothing was published
   * @throws {StoreError} with `via: 'ticket'`, if the store cannot be used
   * @throws {CompletionPendingError} the bytes are uploaded, and not verified in time
   */
  put(ref: DocumentName, body: UploadSource, options?: UploadOptions): Promise<Uploaded>

  /**
   * Opens a version, by tag (default `latest`) or digest. `stream` hashes as it is read and holds its last chunk
   * back: it closes only if size and SHA-256 agree, and otherwise errors with `DigestMismatchError`,
   * `SizeMismatchError` or `ConnectionError`. Of a `range`, only the number of bytes can be checked.
   *
   * If the connection breaks while `stream` is read, the rest is asked for (`Range`, `If-Range`), and the stream continues.
   *
   * With `direct`, the bytes come straight from the object store, checked in the same way (their rest comes through the
   * service if the connection breaks), or through the service where the store cannot be reached: `via` says which.
   *
   * @throws {DigestMismatchError} the answer is for another digest than the one asked for
   */
  get(ref: VersionName, options?: DownloadOptions): Promise<Download>

  /**
   * A URL that gives the bytes as an attachment, straight from the store. It is a credential: anyone who has it can
   * download the version until it expires, so keep it out of logs.
   */
  createDownload(ref: DocumentName & { digest: string }, options?: DownloadUrlOptions): Promise<DownloadUrl>

  /**
   * A URL for each of up to 100 versions, or why there is none, in their order, by one call. They are credentials, as
   * that of `createDownload` is.
   */
  downloadUrls(
    items: readonly NamedVersion[],
    options?: DownloadUrlOptions,
  ): Promise<Outcome<{ url: string; expiresAt: string }>[]>

  /** `get`, read to its end: for documents that fit in memory. @throws also what the stream errors with */
  getBytes(ref: VersionName, options?: DownloadOptions): Promise<{ version: VersionInfo; bytes: Uint8Array }>

  /** What `get` says about the version, without its bytes. */
  head(ref: VersionName, options?: CallOptions): Promise<VersionInfo>

  /** All versions that match, in the store's order, over as many pages of `limit` rows as it takes. */
  list(query?: ListFilter & Omit<PageOptions, 'cursor'>): AsyncGenerator<ListedVersion, void, undefined>

  /** One page of `list`. */
  listPage(query?: ListFilter & PageOptions): Promise<Page<ListedVersion>>

  /** The types of which there are documents, over as many pages as it takes. */
  types(options?: Omit<PageOptions, 'cursor'>): AsyncGenerator<string, void, undefined>

  /** One page of `types`. */
  typesPage(options?: PageOptions): Promise<Page<string>>

  /**
   * What the tenant has stored, by type, and its newest versions, as the service has counted it within the last hour or so.
   *
   * @throws {ProblemError} `usage_unknown` before the first count
   */
  usage(options?: CallOptions): Promise<Usage>

  /** The documents of a type, a row for each, over as many pages as it takes; with `include`, what they are now. */
  names(query: NamesFilter & Omit<PageOptions, 'cursor'>): AsyncGenerator<ListedName, void, undefined>

  /** One page of `names`. */
  namesPage(query: NamesFilter & PageOptions): Promise<Page<ListedName>>

  /** The documents of a type that have a tag, and where it points, over as many pages as it takes. */
  tagged(query: TaggedFilter & Omit<PageOptions, 'cursor'>): AsyncGenerator<Tag, void, undefined>

  /** One page of `tagged`, which may have fewer rows than `limit`, and none at all. */
  taggedPage(query: TaggedFilter & PageOptions): Promise<Page<Tag>>

  /** All versions of one document, newest first, with their tags, over pages of `limit` rows. */
  versions(
    ref: DocumentName,
    options?: Omit<PageOptions, 'cursor'>,
  ): AsyncGenerator<Document, void, undefined>

  /** One page of `versions`. */
  versionsPage(ref: DocumentName, options?: PageOptions): Promise<Page<Document>>

  /** Who moved tags, newest first, as the audit says. Needs `documents:admin`, and a service that can ask the audit. */
  history(ref: DocumentName, options?: HistoryOptions): Promise<TagChanges>

  /** Removes a version for good. Needs `documents:admin`. */
  deleteVersion(ref: DocumentName & { digest: string }, options?: CallOptions): Promise<void>

  /**
   * Removes up to 100 versions for good by one call, and says of each, in their order, whether it is gone or why not.
   * Those of one document go one after the other. Needs `documents:admin`. If the call itself fails, some may be gone.
   */
  deleteMany(items: readonly NamedVersion[], options?: CallOptions): Promise<Outcome[]>

  /**
   * Says of up to 1,000 versions, in their order and by one call, whether the store has their bytes. Needs
   * `documents:write`. `put` still has to be called to make one of them the latest; by ticket it sends no bytes then.
   */
  have(
    items: readonly NamedVersion[],
    options?: CallOptions,
  ): Promise<(NamedVersion & { present: boolean })[]>

  /**
   * Opens one tar of up to 1,000 versions: `manifest.json`, then `<type>/<name>` of each, in their order. `stream` checks
   * all of it as it is read and holds its last chunk back: it closes only if the manifest names just these versions and
   * each has its SHA-256, and otherwise errors with `DigestMismatchError`, `SizeMismatchError`, `ProtocolError` or
   * `ConnectionError`. It is not continued if the connection breaks. `checkArchive` checks one that was saved.
   *
   * @throws {ProblemError} `document_not_found`, with what is missing as `extensions.absent`
   */
  archive(items: readonly NamedVersion[], options?: ArchiveOptions): Promise<ArchiveDownload>

  /**
   * A link that gives the archive of up to 1,000 versions once, without a token: for a browser to follow. It is a
   * credential until then, so keep it out of logs.
   */
  archiveLink(items: readonly NamedVersion[], options?: CallOptions): Promise<DownloadUrl>

  /** All tags of a document, by name. @throws {ProblemError} `document_not_found` if it has none */
  tags(ref: DocumentName, options?: CallOptions): Promise<Tag[]>

  /** Where a tag points. @throws {ProblemError} `document_not_found` */
  getTag(ref: DocumentName, tag: string, options?: CallOptions): Promise<Tag>

  /**
   * Follows a tag: yields it as it is, unless `etag` says that the caller has seen that, and then each time it is found to
   * have moved; `null` when it is found to be gone. Moves that follow each other quickly may be seen as one, but never an
   * older one after a newer one, whichever replica answers. Waits at the service, which answers within a second of a move,
   * and continues when it cannot be reached. Ends only by `signal`, or when it is not read any further.
   *
   * @throws {ProblemError} for refusals that another try would not change; the reason of the signal
   */
  watchTag(
    ref: DocumentName,
    tag: string,
    options?: WatchOptions,
  ): AsyncGenerator<Tag | null, void, undefined>

  /**
   * Points a tag at a version: with `ifMatch` only if it has not moved since, with `ifAbsent` only if it is new; otherwise
   * a `ProblemError` with status 412.
   */
  putTag(
    ref: DocumentName,
    tag: string,
    digest: string,
    options?: TagOptions,
  ): Promise<{ tag: Tag; created: boolean }>

  /** Removes a tag, with `ifMatch` only if it has not moved since. The version stays. */
  deleteTag(ref: DocumentName, tag: string, options?: Omit<TagOptions, 'ifAbsent'>): Promise<void>
}

export interface CallOptions {
  signal?: AbortSignal | undefined
}

/**
 * Creates a client for one tenant. It opens no connection by itself and is safe to share.
 *
 * @throws {ArgumentError} for a malformed URL or tenant
 */
export function createDocumentsClient(options: ConnectionOptions): DocumentsClient {
  const { tenant } = options
  const send = createSend(options)
  const parts = { send, fetch: options.fetch, limits: transferLimits(options.transfers) }
  const get: DocumentsClient['get'] = (ref, given = {}) =>
    given.direct && !given.range ? openDirect(parts, tenant, ref, given) : open(parts, tenant, ref, given)
  return {
    put: (ref, body, given = {}) => put(parts, ref, body, given),
    get,
    createDownload: (ref, given = {}) => createDownload(send, ref, given),
    downloadUrls: async (items, given = {}) => (await loadBatches()).downloadUrls(send, items, given),
    getBytes: async (ref, given = {}) => bytesOf(await get(ref, given)),
    head: (ref, { signal } = {}) => head(send, tenant, ref, signal),
    list: (query = {}) => rowsOf((cursor) => listPage(send, { ...query, cursor })),
    listPage: (query = {}) => listPage(send, query),
    types: (given = {}) => rowsOf((cursor) => typesPage(send, { ...given, cursor })),
    typesPage: (given = {}) => typesPage(send, given),
    usage: ({ signal } = {}) => usage(send, signal),
    names: (query) => rowsOf((cursor) => namesPage(send, { ...query, cursor })),
    namesPage: (query) => namesPage(send, query),
    tagged: (query) => rowsOf((cursor) => taggedPage(send, { ...query, cursor })),
    taggedPage: (query) => taggedPage(send, query),
    versions: (ref, given = {}) => rowsOf((cursor) => versionsPage(send, ref, { ...given, cursor })),
    versionsPage: (ref, given = {}) => versionsPage(send, ref, given),
    history: (ref, given = {}) => history(send, ref, given),
    deleteVersion: (ref, { signal } = {}) => deleteVersion(send, ref, signal),
    tags: (ref, { signal } = {}) => tagsOf(send, ref, signal),
    deleteMany: async (items, { signal } = {}) => (await loadBatches()).deleteMany(send, items, signal),
    archive: async (items, given = {}) => (await loadArchive()).archive(send, items, given),
    archiveLink: async (items, { signal } = {}) =>
      (await loadArchive()).archiveLink(send, options.url, items, signal),
    have: async (items, { signal } = {}) => (await loadBatches()).have(send, items, signal),
    getTag: (ref, tag, { signal } = {}) => getTag(send, ref, tag, signal),
    watchTag: (ref, tag, given = {}) => watchTag(parts, ref, tag, given),
    putTag: (ref, tag, digest, given = {}) => putTag(send, ref, { tag, digest }, given),
    deleteTag: (ref, tag, given = {}) => deleteTag(send, ref, tag, given),
  }
}

/** Loaded with the first of these calls, so that the Control UI need not load them with its first page. */
const loadBatches = () => import('./batches.ts')
const loadArchive = () => import('./archive.ts')

async function bytesOf({ version, stream }: Download): Promise<{ version: VersionInfo; bytes: Uint8Array }> {
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
