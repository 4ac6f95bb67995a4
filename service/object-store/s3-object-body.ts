import type { ByteRange, ObjectBody } from './object-store.ts'
import { toObjectStoreError } from './s3-error.ts'
import { unquote } from './s3-list-xml.ts'

/** What a store that was given no content type answers with. */
export const defaultContentType = 'application/octet-stream'

/** RFC 9110 section 14.2. */
export function rangeHeader(range: ByteRange): string {
  return 'suffix' in range ? `bytes=-${range.suffix}` : `bytes=${range.first}-${range.last ?? ''}`
}

/**
 * The port's view of a GetObject answer; `release` is called once its body ended, failed or was cancelled.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function toObjectBody(key: string, response: Response, release: () => void): ObjectBody {
  const { headers } = response
  const range = contentRange(headers.get('content-range'))
  const metadata: Record<string, string> = {}
  for (const [name, value] of headers) {
    if (name.startsWith(metadataPrefix)) metadata[name.slice(metadataPrefix.length)] = value
  }
  return {
    key,
    size: range ? range.size : Number(headers.get('content-length') ?? 0),
    etag: unquote(headers.get('etag') ?? ''),
    lastModified: new Date(headers.get('last-modified') ?? 0),
    contentType: headers.get('content-type') ?? defaultContentType,
    metadata,
    range: range ? { first: range.first, last: range.last } : null,
    body: releasing(response.body, release),
  }
}

const metadataPrefix = 'x-amz-meta-'

/** RFC 9110 section 14.4, `bytes first-last/size`. */
function contentRange(header: string | null): { first: number; last: number; size: number } | null {
  const match = header === null ? null : /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header)
  return match ? { first: Number(match[1]), last: Number(match[2]), size: Number(match[3]) } : null
}

function releasing(body: ReadableStream<Uint8Array> | null, release: () => void): ReadableStream<Uint8Array> {
  const reader = body?.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = reader ? await reader.read() : ({ done: true, value: undefined } as const)
          if (!next.done) return controller.enqueue(next.value)
          release()
          controller.close()
        } catch (error) {
          release()
          controller.error(toObjectStoreError('get', error))
        }
      },
      async cancel(reason) {
        release()
        await reader?.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
