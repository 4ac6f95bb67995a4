import type { Documents, OpenVersion } from '../documents/documents.ts'
import type { StoredVersion } from '../wire/answers.ts'
import { formatContentRange, parseRange } from '../wire/byte-range.ts'
import { formatDigestField } from '../wire/digest-field.ts'
import { formatEntityTag } from '../wire/entity-tag.ts'
import type { VersionRef } from '../wire/names.ts'
import { matchesStrongly, matchesWeakly, parseEntityTags } from './headers/entity-tag.ts'
import { notePassedOn } from './passed-on.ts'
import { ProblemError } from './problem.ts'
import type { AdmittedContext } from './route.ts'

/** Under its digest, a version never changes; a tag may point to another one tomorrow. */
export const cacheImmutable = 'private, max-age=31536000, immutable'
export const cacheNever = 'private, no-cache'

/**
 * Answers GET for one version: preconditions, then range, then the bytes (RFC 9110 section 13.2.2).
 * Bun sends a streamed body without Content-Length; `Document-Size` carries the size then.
 */
export async function getVersion(
  documents: Documents,
  ref: VersionRef,
  { request, context }: { request: Request; context: AdmittedContext },
  cacheControl: string,
): Promise<Response> {
  const { headers, signal } = request
  // Preconditions count only for what is there (RFC 9110 section 13.2.1): otherwise the answer is 404.
  if (isConditional(headers)) await documents.head(ref, signal)
  if (notModified(headers, ref.digest)) {
    return new Response(null, { status: 304, headers: validators(ref, cacheControl) })
  }
  const version = await documents.open(ref, {
    range: requestedRange(headers, ref.digest),
    signal,
    onBodyFailure: context.bodyFailed,
    mayPassOn: context.isServed,
  })
  const response = bytesResponse(version, cacheControl)
  if (version.passedOn) notePassedOn(response, version.passedOn)
  return response
}

/** Answers HEAD: the headers of a whole GET, Content-Length included. Ranges are for GET alone. */
export async function headVersion(
  documents: Documents,
  ref: VersionRef,
  request: Request,
  cacheControl: string,
): Promise<Response> {
  const version = await documents.head(ref, request.signal)
  if (notModified(request.headers, ref.digest)) {
    return new Response(null, { status: 304, headers: validators(ref, cacheControl) })
  }
  return new Response(null, {
    headers: { ...versionHeaders(version, cacheControl), 'content-length': String(version.size) },
  })
}

function bytesResponse(version: OpenVersion, cacheControl: string): Response {
  const headers = versionHeaders(version, cacheControl)
  const body = version.body as BodyInit
  if (!version.range) return new Response(body, { headers })
  headers['content-range'] = formatContentRange(version.range, version.size)
  return new Response(body, { status: 206, headers })
}

function validators({ digest }: VersionRef, cacheControl: string): Record<string, string> {
  return { etag: formatEntityTag(digest), 'cache-control': cacheControl, vary: 'Authorization' }
}

function versionHeaders(version: StoredVersion, cacheControl: string): Record<string, string> {
  return {
    ...validators(version, cacheControl),
    'content-type': version.contentType,
    // What a tenant uploaded must never run in our origin, nor be taken for another type.
    'content-disposition': contentDisposition(version.name),
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'repr-digest': formatDigestField(version.digest),
    'document-size': String(version.size),
    'accept-ranges': 'bytes',
  }
}

/** RFC 6266 section 4. Names are plain ASCII without quotes, so both forms carry them as they are. */
function contentDisposition(name: string): string {
  return `attachment; filename="${name}"; filename*=UTF-8''${encodeURIComponent(name)}`
}

function isConditional(headers: Headers): boolean {
  return headers.has('if-match') || headers.has('if-none-match')
}

/** @throws {ProblemError} `precondition_failed` if If-Match names other bytes. */
function notModified(headers: Headers, etag: string): boolean {
  const ifMatch = parseEntityTags('If-Match', headers.get('if-match'))
  if (ifMatch && !matchesStrongly(ifMatch, etag)) {
    throw new ProblemError('precondition_failed', 'The document has other bytes than If-Match names.')
  }
  const ifNoneMatch = parseEntityTags('If-None-Match', headers.get('if-none-match'))
  return ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, etag)
}

/** RFC 9110 section 13.1.5: with an If-Range that does not match, the whole is sent. */
function requestedRange(headers: Headers, etag: string) {
  const ifRange = headers.get('if-range')
  if (ifRange !== null && ifRange.trim() !== formatEntityTag(etag)) return undefined
  return parseRange(headers.get('range'))
}
