import type { Document } from '../documents/documents.ts'
import { documentFrom, jsonMembers } from './answers.ts'
import { formatReprDigest } from './digest-header.ts'
import { ConnectionError, DigestMismatchError, ProtocolError } from './errors.ts'
import { type DocumentName, documentPath } from './references.ts'
import type { Answer, Send } from './transport.ts'
import { type UploadBody, type UploadOptions, type UploadSource, uploadBody } from './upload-body.ts'

export interface Uploaded {
  document: Document
  /** False if the version was there before; the document is then the first writer's. */
  created: boolean
}

/** See `DocumentsClient.put`. */
export async function put(
  send: Send,
  ref: DocumentName,
  source: UploadSource,
  options: UploadOptions,
): Promise<Uploaded> {
  const path = documentPath(ref)
  const upload = await uploadBody(source, options)
  const answer = await sendUpload(send, path, upload, headersOf(source, upload, options), options.signal)
  const document = documentFrom(await jsonMembers(answer))
  checkStored(document, upload, answer)
  if (!(upload.body instanceof ReadableStream)) {
    options.onProgress?.({ bytes: document.size, totalBytes: document.size })
  }
  return { document, created: answer.response.status === 201 }
}

async function sendUpload(
  send: Send,
  path: string,
  upload: UploadBody,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  try {
    return await send({ method: 'PUT', path, headers, body: upload.body as BodyInit, signal })
  } catch (error) {
    const cause = error instanceof ConnectionError ? upload.failure(error) : null
    upload.release()
    throw cause ?? error
  }
}

function headersOf(source: UploadSource, upload: UploadBody, options: UploadOptions): Record<string, string> {
  const ownType = source instanceof Blob && source.type !== '' ? source.type : 'application/octet-stream'
  return {
    'content-type': options.contentType ?? ownType,
    ...(upload.digest ? { 'repr-digest': formatReprDigest(upload.digest) } : {}),
    // For streams; a browser ignores it and counts what it sends by itself.
    ...(upload.size === undefined ? {} : { 'content-length': `${upload.size}` }),
  }
}

function checkStored(document: Document, upload: UploadBody, { ids }: Answer): void {
  const sent = upload.sentDigest()
  if (sent === null) throw new ProtocolError('The service accepted the upload before its end.', ids)
  if (document.digest !== sent) throw new DigestMismatchError(sent, document.digest, ids)
}
