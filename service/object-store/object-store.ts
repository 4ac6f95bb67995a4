/**
 * The object store, as the document service sees it: a flat map from key to immutable-sized bytes in one
 * bucket. This file is the specification; adapters implement it, decorators wrap it, and one contract suite
 * (`tests/contract`) checks each of them against the sentences below.
 *
 * The words are those of the S3 API (https://docs.aws.amazon.com/AmazonS3/latest/API/). Common to all methods:
 * - Sizes are bytes, keys are non-empty UTF-8 without a leading slash, ETags are opaque and carry no quotes.
 * - Absence is a value (`null`), never an error. Deleting what is absent succeeds.
 * - A failure is an {@link ObjectStoreError}. It names no credential, no host and no signed URL.
 * - `signal` aborts the call: the promise rejects with the signal's reason and the store's connection is freed.
 * - Calls whose body can be replayed are retried a bounded number of times, unless `once` says otherwise; a streamed
 *   body never is.
 */
import type { ByteRange } from '../wire/byte-range.ts'
import { withCause } from '../wire/connection-causes.ts'
export interface ObjectStore {
  /**
   * Stores `body` under `key`, whole or not at all: a stream that errors, ends short of `options.size` or
   * runs past it, and an aborted signal, leave the key as it was.
   *
   * @returns the new object's ETag, or `null` if `options.condition` does not hold (then nothing changed, and
   *   a streamed body may have been read in part). A store that answers that the write lost a race, without saying
   *   that the condition does not hold (409), is `unavailable`: it may have lost against a delete.
   * @throws {ObjectStoreError} `unavailable`, `denied`, `rejected`; whatever the body stream itself threw.
   */
  put(
    key: string,
    body: Uint8Array | ReadableStream<Uint8Array>,
    options: PutOptions,
  ): Promise<PutResult | null>

  /**
   * Opens the object for reading. The caller must read `body` to its end or cancel it: an open body holds one
   * of a bounded number of connections.
   *
   * @returns `null` if there is no such object.
   * @throws {ObjectStoreError} `precondition_failed` if `ifMatch` names another ETag than the object's;
   *   `range_unsatisfiable` if `range` starts at or after the end (so for every range of an empty object).
   */
  get(key: string, options?: GetOptions): Promise<ObjectBody | null>

  /**
   * Reads the object in one piece if it has at most `bytesMax` bytes, which costs less than a stream and is tried again if
   * it breaks off, and opens a larger one as `get` does. With `unless`, a reader who knows the bytes pays for an answer
   * without a body only (If-None-Match, RFC 9110 section 13.1.2).
   *
   * With `vouchedSha256`, the SHA-256 that the store keeps of the object is asked for. If it is that one, an object that is
   * read in one piece `isVouched`; a larger one is passed on, if a connection can be spared for as long as a client takes: its
   * body is the store's own stream, which costs no step in JavaScript, is not continued if it breaks off, and ends if its
   * connection is needed for another tenant.
   *
   * @returns `unchanged` if the ETag is still `unless`; otherwise as `get`, with the bytes themselves as the body.
   */
  getWhole(key: string, options: GetWholeOptions): Promise<ObjectBytes | ObjectBody | 'unchanged' | null>

  /** Metadata without the bytes, or `null` if there is no such object. */
  head(key: string, options?: HeadOptions): Promise<ObjectInfo | null>

  /**
   * Copies an object inside the store, so its bytes do not pass through here; an object under `to` is replaced. The
   * copy carries the metadata given, not the source's. The probe finds out whether the store honours `ifMatch`:
   * RGW 16.2 copies the source whatever its ETag.
   *
   * @returns the copy's ETag, or `null` if the source is absent or has another ETag than `ifMatch`.
   */
  copy(from: string, to: string, options: CopyOptions): Promise<PutResult | null>

  /**
   * Copies an object inside the store, if there is nothing under `to`: of several writers one wins. The copy carries
   * the metadata given, not the source's; neither key changes unless the answer is `copied`, and no object is ever
   * deleted. The probe finds out whether the store honours both conditions (`copy-once`).
   *
   * @returns `exists` if there is an object under `to`, `changed` if the source is absent or has another ETag than
   *   `ifMatch`. Where both hold, either is returned.
   */
  copyAbsent(from: string, to: string, options: CopyAbsentOptions): Promise<'copied' | 'exists' | 'changed'>

  /**
   * One page of keys that start with `prefix`, in the store's order: ascending by UTF-8 bytes, or folder by folder.
   * Costs one call to the store, and another one for each page without keys that says that more follow.
   *
   * Only a listing that goes from page to page by `token`, without pauses, is complete on every store. Tokens age
   * (`limits.listTokenSecondsMax`): MinIO takes one that it has forgotten for a `startAfter`.
   *
   * @throws {ObjectStoreError} `rejected` for a token that the store does not know; `unavailable` if page after page
   *   is without keys.
   */
  list(options: ListOptions): Promise<ListPage>

  /**
   * One page of the folders below a prefix that is empty or ends with a slash: the beginnings of keys up to the next
   * slash, each once, however many keys begin with it. Keys without a further slash are left out. Order, cost and
   * tokens are those of `list`.
   *
   * A folder without keys is not listed, except for a while after its last key was deleted: SeaweedFS removes it later,
   * and MinIO keeps it where the bucket has versions.
   *
   * @throws {ObjectStoreError} as `list`
   */
  listPrefixes(options: ListPrefixesOptions): Promise<PrefixPage>

  /** Removes the object; absent is success. */
  delete(key: string, options?: CallOptions): Promise<void>

  /**
   * Removes the object by a request that the store accepts only until `signedAt` and `expiresInSeconds` later, by the
   * store's own clock, however late it arrives. One try, over a connection of its own; one that the store turns away
   * without looking at it (429, RFC 6585 section 4) does not count.
   *
   * @returns `refused` if the store refused the request (403): it arrived late, or may not remove this object.
   * @throws {ObjectStoreError} `unavailable` if there was no answer: the object may still be removed, until then.
   */
  deleteBefore(key: string, options: DeleteBeforeOptions): Promise<'deleted' | 'refused'>

  /**
   * Begins an upload of parts under `key`; nothing is visible until `complete`. Every part but the last must
   * be at least 5 MiB (S3 "multipart upload limits").
   */
  startMultipart(key: string, options: MultipartOptions): Promise<MultipartUpload>

  /**
   * Uploads that were begun under `prefix` and neither completed nor aborted. Some stores do not answer for
   * a prefix (MinIO knows whole keys only) and expire such uploads by themselves instead: empty there.
   */
  listUnfinished(prefix: string, options?: CallOptions): Promise<UnfinishedUpload[]>

  /** Aborts an unfinished upload; absent is success. */
  abortUnfinished(key: string, uploadId: string, options?: CallOptions): Promise<void>

  /**
   * The store's own clock, to the second (the `Date` header of HeadBucket). Doubles as the cheapest proof
   * that the bucket is there and the credentials are good.
   *
   * @throws {ObjectStoreError} `unavailable`, `denied`, or `rejected` where the bucket is absent.
   */
  clock(options?: CallOptions): Promise<Date>
}

export interface CallOptions {
  signal?: AbortSignal | undefined
}

export interface HeadOptions extends CallOptions {
  /** Also ask for the SHA-256 that the store keeps of the bytes. */
  checksum?: boolean
}

export interface CopyOptions extends CallOptions {
  /** ETag that the source must have. */
  ifMatch: string
  contentType: string
  metadata: Readonly<Record<string, string>>
}

export interface CopyAbsentOptions extends CopyOptions {
  /** Of the source, in bytes; at most 5 GiB. */
  size: number
}

export interface DeleteBeforeOptions extends CallOptions {
  /** Usually a time that the store itself has told. Whole seconds count. */
  signedAt: Date
  /** 1 second to 7 days (S3 API, "Authenticating requests: using query parameters"). */
  expiresInSeconds: number
}

export interface PutOptions extends CallOptions {
  /** Exact size of the body in bytes. */
  size: number
  contentType: string
  /** User metadata (`x-amz-meta-*`): lower-case ASCII names, printable ASCII values. */
  metadata?: Readonly<Record<string, string>> | undefined
  /**
   * SHA-256 of the body, hexadecimal, if it is known. It is sent so that a store that checks it refuses bytes that
   * changed on their way (`rejected`); not every store does.
   */
  sha256?: string | undefined
  /**
   * The store also keeps `sha256` and reports it to readers who ask; only for one that refuses other bytes
   * (`StoreCapabilities.checksumKept`). It costs the store one hash, as without.
   */
  keepsChecksum?: boolean | undefined
  /** `{ absent: true }` is If-None-Match: *; `{ etag }` is If-Match (RFC 9110 section 13.1). */
  condition?: { absent: true } | { etag: string } | undefined
  /**
   * One try only: without an answer the put fails as `unavailable`, although it may have taken effect or may still do
   * so. `null` may be the answer to the caller's own bytes: a request that went out over an idle connection which the
   * store had just closed is sent a second time below this port.
   */
  once?: boolean | undefined
  /**
   * With `{ absent: true }`: while a stream is on its way, other calls about the key are answered without waiting for
   * it. Costs three calls more; only for a store that copies once (`StoreCapabilities.copyOnce`), as it rests on the
   * same condition. An object that is there is noticed before anything is sent.
   */
  keepsKeyFree?: boolean | undefined
}

export interface PutResult {
  etag: string
}

export interface GetOptions extends CallOptions {
  range?: ByteRange | undefined
  ifMatch?: string | undefined
}

export interface GetWholeOptions extends CallOptions {
  /** Larger objects are streamed. */
  bytesMax: number
  /** ETag of what the caller has. */
  unless?: string | undefined
  /** Hexadecimal. */
  vouchedSha256?: string | undefined
}

export interface ListedObject {
  key: string
  size: number
  etag: string
  lastModified: Date
}

export interface ObjectInfo extends ListedObject {
  contentType: string
  metadata: Readonly<Record<string, string>>
  /**
   * SHA-256 (hexadecimal) that the store reports for the bytes; only if it was asked for and is kept. The probe says
   * what it is worth: some stores keep a checksum without verifying it.
   */
  sha256?: string
  /** Until when no one may remove it (S3 object lock), if the store says so; `forever` is a legal hold. */
  locked?: Date | 'forever'
}

export interface ObjectBody extends ObjectInfo {
  /** The object's whole size; with a range, `range` says which bytes `body` carries. */
  size: number
  /** Inclusive positions of the bytes in `body`; `null` when it carries the whole object. */
  range: { first: number; last: number } | null
  body: ReadableStream<Uint8Array>
  /** Only of an object that is passed on. */
  passedOn?: PassedOn
}

/** What the caller has to see to where a body is passed on, since nothing here sees a chunk of it. */
export interface PassedOn {
  /** The caller breaks the body off if nothing of it has moved for this long: the store, or the reader, has stalled. */
  idleSecondsMax: number
  /** To be called when the body is over, however it ended; with `abandoned` if it was not read to its end. */
  end(abandoned?: 'abandoned'): void
}

/** An object that was read in one piece; it has `size` bytes. */
export interface ObjectBytes extends Omit<ObjectBody, 'range' | 'body' | 'passedOn'> {
  range: null
  body: Uint8Array<ArrayBuffer>
  /** The store reports the `vouchedSha256` that was asked for. */
  isVouched?: boolean
}

/** Tells whether an object was read in one piece. */
export function isWhole(object: ObjectBody | ObjectBytes): object is ObjectBytes {
  return object.body instanceof Uint8Array
}

export interface ListOptions extends CallOptions {
  prefix: string
  /** Continues where the page that had this as its `next` ended; `prefix` must be the same, `limit` need not. */
  token?: string | undefined
  /**
   * Begins strictly after this key, which need not exist. Exact only where the probe saw it
   * (`StoreCapabilities.startAfterExact`): elsewhere a page may end the listing too early. Not together with `token`.
   */
  startAfter?: string | undefined
  /** 1–1000 keys. */
  limit: number
}

export type ListPrefixesOptions = Omit<ListOptions, 'startAfter'>

export interface PrefixPage {
  /** Each ends with a slash. */
  prefixes: string[]
  /** As that of a {@link ListPage}: a page with a `next` has at least one prefix. */
  next: string | null
}

export interface ListPage {
  objects: ListedObject[]
  /** Token of the next page, opaque; `null` if this is the last one. A page with a `next` has at least one object. */
  next: string | null
}

export interface MultipartOptions extends CallOptions {
  contentType: string
}

export interface MultipartUpload {
  /** Uploads the next part; parts are numbered in the order of the calls, which must not overlap. */
  uploadPart(bytes: Uint8Array, options?: CallOptions): Promise<void>
  /** Publishes the parts as one object under the key (at least one part, which may be empty). */
  complete(options?: CallOptions): Promise<PutResult>
  /** Discards the parts. Never rejects for an upload that is already gone. */
  abort(): Promise<void>
}

export interface UnfinishedUpload {
  key: string
  uploadId: string
  startedAt: Date
}

export type ObjectStoreErrorCode =
  /** No answer, a 5xx, 429 or a time-out: the same call may succeed later. */
  | 'unavailable'
  /** No connection was free in time, or it was taken away from a body: nothing is wrong with the store. */
  | 'busy'
  /** The store refused our credentials or our right to do this. */
  | 'denied'
  /** Another 4xx: repeating the same call will not help. */
  | 'rejected'
  | 'precondition_failed'
  | 'range_unsatisfiable'

/** A failed call. `message` is safe to show; `reason` is the store's own error code, for the log only. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError'

  constructor(
    readonly code: ObjectStoreErrorCode,
    /** Method of the port that failed. */
    readonly operation: string,
    /** The store's own error code or the transport's, such as `SlowDown` or `ECONNREFUSED`. */
    readonly reason: string,
    /** How long the store asked to wait (RFC 9110 section 10.2.3). */
    readonly retryAfterSeconds?: number | undefined,
  ) {
    super(`object store: ${operation} failed: ${code} (${withCause(reason)})`)
  }
}

/** Returns whether the same call may succeed later, whatever the reason was. */
export function isTransient({ code }: ObjectStoreError): boolean {
  return code === 'unavailable' || code === 'busy'
}
