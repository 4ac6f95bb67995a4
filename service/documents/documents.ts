import type { PassedOn } from '../object-store/object-store.ts'
import type {
  Document,
  ListedName,
  ListedType,
  ListedVersion,
  StoredVersion,
  Tag,
  Usage,
} from '../wire/answers.ts'
import type { ByteRange } from '../wire/byte-range.ts'
import type { Digest, DocumentRef, VersionRef } from '../wire/names.ts'
import type { TagCondition } from './tag-condition.ts'

/**
 * What can be done with documents: the domain behind the HTTP API. Authorisation has been decided before any of these
 * is called. Every failure a caller can meet is a `DocumentError`
 * (`document-error.ts`); times are RFC 3339 in UTC.
 */
export interface Documents {
  /**
   * Publishes the bytes under their SHA-256 and moves `latest` to them: it is the version whose upload was acknowledged
   * last. The first writer of a version wins: repeating it reads and hashes the body and returns the first one's
   * metadata. Bytes in the store that are found to be damaged are replaced by the right ones.
   *
   * Nothing is published or left behind if the body ends too early or too late, fails, is too large, does not hash to
   * `digest`, or if `latest` does not meet the condition before the body is read. If it ceases to meet it meanwhile, the
   * version is stored and `latest` is not moved.
   *
   * @throws {DocumentError} `digest_mismatch`, `digest_required`, `document_too_large`, `body_incomplete`, `precondition_failed` (with the
   *   digest of what was stored), `busy`, `store_unavailable`
   */
  put(ref: DocumentRef, upload: Upload): Promise<Accepted>

  /**
   * Tells of each version, in their order, whether the store has its bytes. That one has is no version yet that counts:
   * the upload still has to be made, which by ticket sends no bytes then, and it alone decides about bytes that are
   * damaged or being deleted.
   *
   * @throws {DocumentError} `busy` if the store is too slow for so many, `store_unavailable`
   */
  have(refs: readonly VersionRef[], signal?: AbortSignal): Promise<boolean[]>

  /** Returns the metadata of one version. @throws {DocumentError} `document_not_found` */
  head(ref: VersionRef, signal?: AbortSignal): Promise<StoredVersion>

  /**
   * Opens a version for reading. A read of all bytes hashes them while it streams and holds the last chunk back: bytes
   * that do not hash to the digest end in an error, never in a complete body. The caller reads `body` to its
   * end or cancels it.
   *
   * @throws {DocumentError} `document_not_found`, `range_unsatisfiable`
   */
  open(ref: VersionRef, options?: OpenOptions): Promise<OpenVersion>

  /**
   * Packs versions of one tenant into a tar (`service/wire/archive.ts` says what it holds), of which the same versions in
   * the same order always make the same bytes. Each version is opened when its turn comes, one at a time, and verified as
   * `open` does it: if one is damaged or has disappeared by then, the body ends in an error, never complete. The caller
   * reads `body` to its end or cancels it.
   *
   * @param refs no version twice
   * @throws {DocumentError} `document_not_found`, with all that are `absent`; `busy` if the store is too slow for so many
   */
  archive(refs: readonly VersionRef[], options?: ArchiveOptions): Promise<Archive>

  /**
   * Returns one page of versions in the store's order, from one list call (`listing/list-pages.ts` says when it takes more).
   *
   * @throws {DocumentError} `cursor_invalid`
   */
  list(
    query: ListQuery,
    signal?: AbortSignal,
  ): Promise<{ documents: ListedVersion[]; nextCursor: string | null }>

  /** Returns what a tenant has stored, as it was counted last. @throws {DocumentError} `usage_unknown` before that */
  usage(tenant: string, signal?: AbortSignal): Promise<Usage>

  /**
   * Returns one page of the types of which a tenant has documents, from one list call.
   *
   * @throws {DocumentError} `cursor_invalid`
   */
  types(
    query: { tenant: string; limit: number; cursor?: string | undefined },
    signal?: AbortSignal,
  ): Promise<{ types: ListedType[]; nextCursor: string | null }>

  /**
   * Returns one page of the documents of a type, one row for each, from one list call. What `include` asks for costs one
   * small read per row (`tags`), or a HEAD as well (`latest`).
   *
   * A document whose last version has just been deleted may still be listed for a while, as the store does.
   *
   * @throws {DocumentError} `cursor_invalid`; `integrity_violated` for a damaged record, with `include`
   */
  names(query: NamesQuery, signal?: AbortSignal): Promise<{ names: ListedName[]; nextCursor: string | null }>

  /**
   * Returns one page of the documents of a type that have a tag other than `latest`, with where it points, who moved it and
   * when: from one list call, and a small read for each row, so no row is out of date by more than the call takes. A page
   * may have fewer rows than `limit`, and none at all.
   *
   * @throws {DocumentError} `cursor_invalid`; `integrity_violated` for a damaged record
   */
  tagged(query: TaggedQuery, signal?: AbortSignal): Promise<{ documents: Tag[]; nextCursor: string | null }>

  /**
   * Returns one page of the versions of a document, newest first.
   *
   * @throws {DocumentError} `document_not_found`, `cursor_invalid`, `versions_exhausted`
   */
  versions(
    ref: DocumentRef,
    page: { limit: number; cursor?: string | undefined },
    signal?: AbortSignal,
  ): Promise<{ versions: Document[]; nextCursor: string | null }>

  /**
   * Removes a version permanently; `latest` moves to the one that was the latest before it, or disappears. A deletion
   * that the store has not confirmed is finished later, and nothing that was acknowledged meanwhile is lost.
   *
   * @throws {DocumentError} `document_not_found`, `version_tagged` (names the tags other than `latest`),
   *   `version_locked` (object lock), `busy` while another deletion of it is under way
   */
  deleteVersion(ref: VersionRef, options: { by: string; signal?: AbortSignal }): Promise<void>

  /** Returns all tags of a document by name, ascending. @throws {DocumentError} `document_not_found` if it has none */
  tags(ref: DocumentRef, signal?: AbortSignal): Promise<Tag[]>

  /** Returns a tag. @throws {DocumentError} `document_not_found` */
  getTag(ref: DocumentRef, tag: string, signal?: AbortSignal): Promise<Tag>

  /**
   * Returns a tag once it is other than the caller knows it, whichever replica moves it, or as it is when the time is over.
   *
   * @param watch.known ETags that the tag may have; without it, the caller knows that there is no such tag.
   * @throws {DocumentError} `document_not_found` in place of a tag that is not there
   */
  watchTag(
    ref: DocumentRef,
    tag: string,
    watch: { known: TagCondition['ifNoneMatch']; seconds: number; signal?: AbortSignal },
  ): Promise<Tag>

  /**
   * Reads the version that a tag points to, by `read`, which may be called again if the tag moves meanwhile: a document
   * that always has a version never seems to be absent. Where the tag pointed last is read while the record is, and counts
   * only if the tag has not moved since.
   *
   * @param options.discard receives what was read and does not count, to free what it holds.
   * @throws {DocumentError} `document_not_found`; what `read` throws
   */
  byTag<T>(
    ref: DocumentRef,
    tag: string,
    read: (version: VersionRef) => Promise<T>,
    options?: { discard?: ((result: T) => void) | undefined; signal?: AbortSignal | undefined },
  ): Promise<T>

  /**
   * Points a tag at a version, and returns where it pointed `before`, unless it is new; with a condition (on ETags from
   * `getTag`) only if the tag meets it.
   *
   * @throws {DocumentError} `version_unknown`, `precondition_failed`, `tags_exhausted`, `busy` while the version is being
   *   deleted
   */
  putTag(
    ref: DocumentRef,
    tag: string,
    move: { digest: Digest; by: string; condition?: TagCondition | undefined; signal?: AbortSignal },
  ): Promise<{ tag: Tag; before: Digest | undefined }>

  /** Removes a tag, and returns where it pointed. @throws {DocumentError} `document_not_found`, `precondition_failed`, `tag_protected` for `latest` */
  deleteTag(
    ref: DocumentRef,
    tag: string,
    options?: { condition?: TagCondition | undefined; signal?: AbortSignal },
  ): Promise<{ before: Digest }>

  /** Resolves if the store answers and the bucket is there. @throws {DocumentError} `store_unavailable` */
  ready(signal?: AbortSignal): Promise<void>
}

export interface OpenOptions {
  range?: ByteRange | undefined
  signal?: AbortSignal | undefined
  /** Receives what the body failed with after it was returned; the body itself then errs without a reason. */
  onBodyFailure?: ((reason: unknown) => void) | undefined
  /** The caller can tell when a body has left or stalls, and so may get one that is passed on. */
  mayPassOn?: boolean | undefined
}

export type ArchiveOptions = Pick<OpenOptions, 'signal' | 'onBodyFailure'>

export interface Archive {
  /** Bytes of `body`. */
  size: number
  body: ReadableStream<Uint8Array>
}

export interface Upload {
  body: ReadableStream<Uint8Array>
  /** Declared size in bytes, if the client declared one. */
  size?: number | undefined
  /** Declared digest, if the client declared one. */
  digest?: Digest | undefined
  contentType: string
  /** What `latest` must be; its ETag is the digest of its version. */
  condition?: TagCondition | undefined
  /** Subject of the uploader's token. */
  by: string
  /** When the upload was admitted: the time of creation of a new version. */
  admittedAt: Date
  traceId: string
  signal: AbortSignal
}

/** The document after an upload, and whether its version is new. */
export interface Accepted {
  document: Document
  created: boolean
}

export interface OpenVersion extends StoredVersion {
  /** Small versions are returned as verified bytes, others as a stream that verifies itself. */
  body: Uint8Array | ReadableStream<Uint8Array>
  /** Inclusive positions of the bytes in `body`, `null` for all of them. */
  range: { first: number; last: number } | null
  /** Only with `mayPassOn`: the store vouches for the bytes, and `body` is its own stream. */
  passedOn?: PassedOn
}

export interface ListQuery {
  tenant: string
  type?: string | undefined
  /** Exact name; needs `type`. */
  name?: string | undefined
  /** Beginning of the name; needs `type`. */
  namePrefix?: string | undefined
  /** 1–1000 */
  limit: number
  cursor?: string | undefined
}

export interface NamesQuery {
  tenant: string
  type: string
  /** Beginning of the names. */
  namePrefix?: string | undefined
  /** What each row has as well as its name. */
  include?: 'latest' | 'tags' | undefined
  /** 1–1000, and at most `limits.namesIncludeMax` with `include` */
  limit: number
  cursor?: string | undefined
}

export interface TaggedQuery {
  tenant: string
  type: string
  tag: string
  /** Beginning of the names. */
  namePrefix?: string | undefined
  /** 1–`limits.taggedLimitMax` */
  limit: number
  cursor?: string | undefined
}
