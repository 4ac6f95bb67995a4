import type { Document } from '../wire/answers.ts'
import { formatDigestField } from '../wire/digest-field.ts'
import { formatEntityTag } from '../wire/entity-tag.ts'
import { documentFrom, jsonMembers } from './answers.ts'
import { ArgumentError, ConnectionError, DigestMismatchError, ProtocolError } from './errors.ts'
import { type DocumentName, documentPath } from './references.ts'
import type { RepeatableSource } from './source-bytes.ts'
import type { UploadBody } from './streamed-body.ts'
import { type TransferParts, uploadByTicket } from './ticket-upload.ts'
import type { Answer, Call, Send } from './transport.ts'
import { checkedSize, hashed, type UploadOptions, type UploadSource, uploadBody } from './upload-body.ts'

export interface Uploaded {
  document: Document
  /** False if the version was there before; the document is then the first writer's. */
  created: boolean
  /** `ticket` also where the bytes were published already, so that none had to be sent. */
  via: 'ticket' | 'service'
  /**
   * Why the bytes went through the service although they were to go straight to the store: a code of the service
   * such as `tickets_unavailable`, or `store: ` and what was wrong with it. `null` if nothing prevented it.
   */
  fallbackReason: string | null
}

/** See `DocumentsClient.put`. */
export async function put(
  parts: TransferParts,
  ref: DocumentName,
  source: UploadSource,
  options: UploadOptions,
): Promise<Uploaded> {
  documentPath(ref)
  if (!goesByTicket(source, options, parts))
    return putThroughService(parts.send, { ref, source, options }, null)
  const size = checkedSize(source, options.size)
  const digest = options.digest ?? (await hashed(source, options))
  const { onProgress, signal } = options
  const contentType = contentTypeOf(source, options)
  const outcome = await uploadByTicket(parts, {
    ...{ ref, contentType, onProgress, signal },
    bytes: { source, digest, size },
  })
  if (!('reason' in outcome)) return { ...outcome, via: 'ticket', fallbackReason: null }
  if (options.via === 'ticket') throw outcome.error
  return putThroughService(parts.send, { ref, source, options: { ...options, digest } }, outcome.reason)
}

function goesByTicket(
  source: UploadSource,
  { via = 'auto', ifLatest }: UploadOptions,
  { limits }: TransferParts,
): source is RepeatableSource {
  if (via === 'service' || (via === 'auto' && ifLatest !== undefined)) return false
  if (ifLatest !== undefined) throw new ArgumentError('An upload by ticket takes no condition on "latest".')
  if (source instanceof ReadableStream) {
    if (via === 'auto') return false
    throw new ArgumentError(
      'A stream cannot be uploaded by ticket: its digest is not known before it is sent.',
    )
  }
  return via === 'ticket' || checkedSize(source, undefined) >= limits.ticketBytesMin
}

async function putThroughService(
  send: Send,
  { ref, source, options }: { ref: DocumentName; source: UploadSource; options: UploadOptions },
  fallbackReason: string | null,
): Promise<Uploaded> {
  const upload = await uploadBody(source, options)
  const call = { path: documentPath(ref), headers: headersOf(source, upload, options) }
  const answer = await sendUpload(send, call, upload, options)
  const document = documentFrom(await jsonMembers(answer))
  checkStored(document, upload, answer)
  if (!(upload.body instanceof ReadableStream)) {
    options.onProgress?.({ phase: 'send', bytes: document.size, totalBytes: document.size })
  }
  return { document, created: answer.response.status === 201, via: 'service', fallbackReason }
}

async function sendUpload(
  send: Send,
  call: Pick<Call, 'path' | 'headers'>,
  upload: UploadBody,
  { onProgress, signal }: UploadOptions,
): Promise<Answer> {
  const { size: totalBytes = null } = upload
  // A stream reports its progress itself.
  const report = upload.body instanceof ReadableStream ? undefined : onProgress
  const onSentBytes = report && ((bytes: number) => report({ phase: 'send', bytes, totalBytes }))
  try {
    return await send({ ...call, method: 'PUT', body: upload.body as BodyInit, onSentBytes, signal })
  } catch (error) {
    const cause = error instanceof ConnectionError ? upload.failure(error) : null
    upload.release()
    throw cause ?? error
  }
}

function contentTypeOf(source: UploadSource, { contentType }: UploadOptions): string {
  if (contentType !== undefined) return contentType
  return source instanceof Blob && source.type !== '' ? source.type : 'application/octet-stream'
}

function headersOf(source: UploadSource, upload: UploadBody, options: UploadOptions): Record<string, string> {
  return {
    'content-type': contentTypeOf(source, options),
    ...conditionOf(options),
    ...(upload.digest ? { 'repr-digest': formatDigestField(upload.digest) } : {}),
    // For streams; a browser ignores it and counts what it sends by itself.
    ...(upload.size === undefined ? {} : { 'content-length': `${upload.size}` }),
  }
}

function conditionOf({ ifLatest }: UploadOptions): Record<string, string> {
  if (ifLatest === undefined) return {}
  return ifLatest === 'absent' ? { 'if-none-match': '*' } : { 'if-match': formatEntityTag(ifLatest) }
}

function checkStored(document: Document, upload: UploadBody, { ids }: Answer): void {
  const sent = upload.sentDigest()
  if (sent === null) throw new ProtocolError('The service accepted the upload before its end.', ids)
  if (document.digest !== sent) throw new DigestMismatchError(sent, document.digest, ids)
}
