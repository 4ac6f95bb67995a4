import { isMediaType, unknownMediaType } from '../../wire/media-type.ts'
import { ProblemError } from '../problem.ts'

/**
 * Refuses a body with a content coding: the digest is of the bytes as they are stored.
 *
 * @throws {ProblemError} `media_type_unsupported` for a coded body.
 */
export function requireUncoded(headers: Headers): void {
  const coding = headers.get('content-encoding')
  if (coding === null || coding.toLowerCase() === 'identity') return
  throw new ProblemError(
    'media_type_unsupported',
    'Content-Encoding is not supported. Send the bytes as they are.',
  )
}

/**
 * Returns the media type of an uploaded document.
 *
 * @throws {ProblemError} `request_invalid` if it is not one.
 */
export function documentMediaType(headers: Headers): string {
  return documentMediaTypeOf(headers.get('content-type') ?? '')
}

/**
 * Returns the media type that `text` names, `application/octet-stream` for none.
 *
 * @throws {ProblemError} `request_invalid` if `text` is neither empty nor a media type.
 */
export function documentMediaTypeOf(text: string): string {
  const type = text.trim() || unknownMediaType
  if (!isMediaType(type)) {
    throw new ProblemError('request_invalid', 'Content-Type is not a media type such as application/gzip.')
  }
  return type
}

/**
 * Refuses every body but uncoded JSON.
 *
 * @throws {ProblemError} `media_type_unsupported`
 */
export function requireJson(headers: Headers): void {
  const essence = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  requireUncoded(headers)
  if (essence !== 'application/json') {
    throw new ProblemError('media_type_unsupported', 'Send JSON with Content-Type: application/json.')
  }
}
