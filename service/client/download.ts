import { type ByteRange, formatRange, parseContentRange } from '../wire/byte-range.ts'
import { parseDigestField } from '../wire/digest-field.ts'
import { formatEntityTag, parseEntityTag } from '../wire/entity-tag.ts'
import { type Digest, isDigest, type VersionRef } from '../wire/names.ts'
import { type BodyPart, type ByteReader, continuedBody } from './continued-body.ts'
import { ArgumentError, DigestMismatchError, ProtocolError } from './errors.ts'
import type { OnProgress } from './progress.ts'
import { checked, type DocumentName, documentPath, versionPath } from './references.ts'
import type { TransferLimits } from './transfer-limits.ts'
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

/** What a download needs to be continued after its connection broke. */
export interface DownloadParts {
  send: Send
  limits: TransferLimits
}

/** See `DocumentsClient.get`. */
export async function open(
  parts: DownloadParts,
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
  const answer = await parts.send({ ...callFor(ref), method: 'GET', headers, signal })
  try {
    return downloadFrom(parts, answer, { tenant, ref }, options)
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

/**
 * Reads bytes of a version to their end; a connection that breaks is followed by requests to the service for the rest
 * (RFC 9110 sections 13.1.5 and 14.2).
 *
 * @param bytes which bytes of the version the first answer carries.
 */
export function continuedVersion(
  { send, limits }: DownloadParts,
  version: VersionInfo,
  answer: BodyPart,
  { first, sizeBytes, signal }: { first: number; sizeBytes: number; signal: AbortSignal | undefined },
): ByteReader {
  return continuedBody(answer, {
    ...{ sizeBytes, limits, signal },
    async reopen(receivedBytes) {
      const wanted = { first: first + receivedBytes, last: first + sizeBytes - 1 }
      const headers = {
        'accept-encoding': 'identity',
        range: formatRange(wanted),
        'if-range': formatEntityTag(version.digest),
      }
      const { response, failure } = await send({
        ...callFor({ type: version.type, name: version.name, digest: version.digest }),
        ...{ method: 'GET', headers, signal },
      })
      const part = parseContentRange(response.headers.get('content-range'))
      if (response.status === 206 && part?.first === wanted.first && part.last === wanted.last)
        return { body: response.body, failure }
      response.body?.cancel().catch(() => undefined)
      return null
    },
  })
}

function downloadFrom(
  parts: DownloadParts,
  answer: Answer,
  { tenant, ref }: { tenant: string; ref: VersionName },
  { onProgress, signal }: DownloadOptions,
): Download {
  const part = answer.response.status === 206 ? partOf(answer) : null
  const version = versionInfo(answer, tenant, ref, part?.size ?? announcedSize(answer))
  const sizeBytes = part ? part.last - part.first + 1 : version.size
  const opened = { body: answer.response.body, failure: answer.failure }
  const bytes = continuedVersion(parts, version, opened, { first: part?.first ?? 0, sizeBytes, signal })
  const stream = verifiedStream(bytes, {
    digest: sizeBytes === version.size ? version.digest : null,
    sizeBytes,
    ids: answer.ids,
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
