import { type ByteRange, formatRange, parseContentRange } from '../wire/byte-range.ts'
import { parseDigestField } from '../wire/digest-field.ts'
import { parseEntityTag } from '../wire/entity-tag.ts'
import { type Digest, isDigest, type VersionRef } from '../wire/names.ts'
import { ArgumentError, DigestMismatchError, ProtocolError } from './errors.ts'
import type { OnProgress } from './progress.ts'
import { checked, type DocumentName, documentPath, versionPath } from './references.ts'
import type { Answer, Call, Send } from './transport.ts'
import { verifiedStream } from './verified-stream.ts'

/** Which version: by its digest, or by a tag (default `latest`). */
export type VersionName = DocumentName & ({ digest: string; tag?: never } | { tag?: string; digest?: never })

export interface DownloadOptions {
  range?: ByteRange | undefined
  /** Straight from the store if it can be reached. A range always comes through the service. */
  direct?: boolean | undefined
  /** Called with the bytes received so far, including those that are not verified yet. */
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

/** What the headers of a version say. */
export interface VersionInfo extends VersionRef {
  /** Bytes of the whole version. */
  size: number
  contentType: string
}

export interface Download {
  version: VersionInfo
  /** Inclusive positions of the bytes in `stream`; `null` when it carries the whole version. */
  range: { first: number; last: number } | null
  /** Read it to its end or cancel it: until then it holds a connection. */
  stream: ReadableStream<Uint8Array>
  via: 'store' | 'service'
  /** What was wrong with the store if the bytes were to come straight from it; otherwise `null`. */
  fallbackReason: string | null
}

/** See `DocumentsClient.get`. */
export async function open(
  send: Send,
  tenant: string,
  ref: VersionName,
  options: DownloadOptions,
): Promise<Download> {
  const { range, signal } = options
  const headers = {
    // A coded body would be hashed after decoding and could not be measured.
    'accept-encoding': 'identity',
    ...(range ? { range: formatRange(checkedRange(range)) } : {}),
  }
  const answer = await send({ ...callFor(ref), method: 'GET', headers, signal })
  try {
    return downloadFrom(answer, tenant, ref, options.onProgress)
  } catch (error) {
    answer.response.body?.cancel().catch(() => undefined)
    throw error
  }
}

/** See `DocumentsClient.head`. */
export async function head(
  send: Send,
  tenant: string,
  ref: VersionName,
  signal: AbortSignal | undefined,
): Promise<VersionInfo> {
  const answer = await send({
    ...callFor(ref),
    method: 'HEAD',
    headers: { 'accept-encoding': 'identity' },
    signal,
  })
  return versionInfo(answer, tenant, ref, announcedSize(answer))
}

/** Returns the range if it is one. @throws {ArgumentError} */
function checkedRange(range: ByteRange): ByteRange {
  for (const [name, value] of Object.entries(range)) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new ArgumentError(`range: ${name} is not a position in bytes`)
  }
  if ('first' in range && range.last !== undefined && range.last < range.first)
    throw new ArgumentError('range: last is before first')
  return range
}

function callFor(ref: VersionName): Pick<Call, 'path' | 'query'> {
  if (ref.digest !== undefined) return { path: versionPath(ref, ref.digest) }
  return {
    path: documentPath(ref),
    query: { tag: ref.tag === undefined ? undefined : checked('tag', ref.tag) },
  }
}

function downloadFrom(
  answer: Answer,
  tenant: string,
  ref: VersionName,
  onProgress: OnProgress | undefined,
): Download {
  const part = answer.response.status === 206 ? partOf(answer) : null
  const version = versionInfo(answer, tenant, ref, part?.size ?? announcedSize(answer))
  const sizeBytes = part ? part.last - part.first + 1 : version.size
  const stream = verifiedStream(answer.response.body, {
    digest: sizeBytes === version.size ? version.digest : null,
    sizeBytes,
    ids: answer.ids,
    failure: answer.failure,
    onBytes: onProgress && ((bytes) => onProgress({ bytes, totalBytes: sizeBytes })),
  })
  const range = part && { first: part.first, last: part.last }
  return { version, range, stream, via: 'service', fallbackReason: null }
}

function partOf({ response, ids }: Answer) {
  const part = parseContentRange(response.headers.get('content-range'))
  if (part === null) throw new ProtocolError('The answer has no usable Content-Range.', ids)
  return part
}

function versionInfo({ response, ids }: Answer, tenant: string, ref: VersionName, size: number): VersionInfo {
  const digest = announcedDigest(response)
  if (digest === null) throw new ProtocolError('The answer names no digest.', ids)
  if (ref.digest !== undefined && ref.digest !== digest)
    throw new DigestMismatchError(ref.digest, digest, ids)
  const contentType = response.headers.get('content-type') ?? 'application/octet-stream'
  return { tenant, type: ref.type, name: ref.name, digest, size, contentType }
}

/** Reads the digest from `ETag` and `Repr-Digest`; returns `null` if neither has one or they disagree. */
function announcedDigest({ headers }: Response): Digest | null {
  // A proxy may have made the ETag weak, which says nothing against the digest in it.
  const tagged = parseEntityTag(headers.get('etag'))
  const fromEtag = tagged !== null && isDigest(tagged) ? tagged : null
  const described = parseDigestField(headers.get('repr-digest') ?? '')
  if (!('digest' in described)) return fromEtag
  return fromEtag !== null && fromEtag !== described.digest ? null : described.digest
}

/** `Document-Size` comes first: a streamed answer has lost its `Content-Length`. */
function announcedSize({ response, ids }: Answer): number {
  const text = response.headers.get('document-size') ?? response.headers.get('content-length')
  if (text === null || !/^\d{1,16}$/.test(text)) throw new ProtocolError('The answer names no size.', ids)
  return Number(text)
}
