import {
  ArgumentError,
  CompletionPendingError,
  ConnectionError,
  DigestMismatchError,
  DocumentsClientError,
  ProblemError,
  ProtocolError,
  SizeMismatchError,
  StoreError,
} from '../../client/errors.ts'

/** What went wrong, for a person: plain values, so that it can come from a worker. */
export interface Failure {
  title: string
  /** What is wrong, in a sentence. */
  detail: string
  /** What to do about it; empty where there is nothing more to say. */
  advice: string
  /** Stable; the service's own where it answered. */
  code: string
  status: number | null
  /** `null` where nothing was sent. */
  traceId: string | null
  /** The scope that the token lacks, where that is what is wrong. */
  missingScope: string | null
}

/** Everything that can be thrown, as a failure. Never holds a token or a signed URL. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ProblemError) return problemFailure(error)
  if (error instanceof ArgumentError) return plain('argument_invalid', 'This cannot be sent', error.message)
  if (error instanceof DocumentsClientError) {
    const { title, code } = namesOf(error)
    return { ...plain(code, title, error.message), traceId: error.traceId, advice: adviceFor(code) }
  }
  if (error instanceof DOMException) return fileFailure(error)
  const detail = error instanceof Error ? error.message : 'The reason is not known.'
  return plain('unexpected', 'Something went wrong in this page', detail)
}

function problemFailure(error: ProblemError): Failure {
  const { title, detail, code, status, traceId, extensions } = error
  const missingScope = code === 'scope_missing' ? scopeIn(`${extensions.scope ?? ''} ${detail}`) : null
  return { title, detail, advice: adviceFor(code), code, status, traceId, missingScope }
}

function namesOf(error: DocumentsClientError): { title: string; code: string } {
  if (error instanceof ConnectionError)
    return { code: 'no_answer', title: 'The document service does not answer' }
  if (error instanceof StoreError)
    return { code: 'store_unusable', title: 'The object store could not be used' }
  if (error instanceof DigestMismatchError)
    return { code: 'bytes_differ', title: 'The bytes are not the ones they should be' }
  if (error instanceof SizeMismatchError)
    return { code: 'bytes_differ', title: 'The number of bytes is not the one it should be' }
  if (error instanceof CompletionPendingError)
    return { code: 'verification_pending', title: 'The upload is still being verified' }
  if (error instanceof ProtocolError)
    return { code: 'answer_unreadable', title: 'The answer cannot be understood' }
  return { code: 'unexpected', title: 'The call failed' }
}

/** A file that was moved, removed or changed after it was chosen (File API, "file read errors"). */
function fileFailure({ name }: DOMException): Failure {
  if (name === 'NotReadableError' || name === 'NotFoundError') {
    return {
      ...plain('file_unreadable', 'The file cannot be read', 'It was changed, moved or removed since.'),
      advice: adviceFor('file_unreadable'),
    }
  }
  if (name === 'QuotaExceededError')
    return plain('no_space', 'There is no space left', 'The browser has no space for this download.')
  return plain('unexpected', 'Something went wrong in this page', `The browser says ${name}.`)
}

/** A failure of which nothing reached the service. */
export function plain(code: string, title: string, detail: string): Failure {
  return { title, detail, code, advice: '', status: null, traceId: null, missingScope: null }
}

/** What a person can do, by the code of the failure. Codes without a line explain themselves. */
const advice: Readonly<Record<string, string>> = {
  no_answer: 'Check your connection and try again. If it stays so, the service may be down.',
  store_unusable: 'Try again. If it stays so, tell whoever runs the object store.',
  bytes_differ: 'Do not use what was received. Try again; if it stays so, tell the operator the trace id.',
  verification_pending: 'Upload the file again in a few minutes: bytes that have arrived are not sent twice.',
  answer_unreadable:
    'Something between this page and the service may alter answers. Tell the operator the trace id.',
  file_unreadable: 'Choose the file again.',
  credentials_missing: 'Sign in again.',
  credentials_invalid: 'Sign in again.',
  document_not_found: 'It may have been deleted, or the address is wrong.',
  version_unknown: 'It may have been deleted. Reload the versions.',
  conflict: 'Somebody else worked on the same document. Look again and repeat what you wanted.',
  precondition_failed: 'Somebody else changed it since you looked. Look again, then decide.',
  document_too_large: 'Split it, or ask the operator for a higher limit.',
  busy: 'Try again in a few seconds.',
  store_unavailable: 'If it stays so, tell whoever runs the object store.',
  store_refused: 'Tell the operator the trace id.',
  issuer_unavailable: 'If it stays so, tell whoever runs the issuer.',
  integrity_violated: 'Do not use this version. Tell the operator the trace id.',
  internal_error: 'Tell the operator the trace id.',
  cursor_invalid: 'Read the list again from its beginning.',
}

export function adviceFor(code: string): string {
  return advice[code] ?? ''
}

/** The scope that a text names, such as `documents:write`. */
export function scopeIn(text: string): string | null {
  return /\bdocuments:(?:read|write|admin)\b/.exec(text)?.[0] ?? null
}
