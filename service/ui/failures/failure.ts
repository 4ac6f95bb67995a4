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

/** Turns anything that was thrown into a failure. It never holds a token or a signed URL. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ProblemError) return problemFailure(error)
  if (error instanceof ArgumentError) return plain('argument_invalid', 'This cannot be sent', error.message)
  if (error instanceof DocumentsClientError) {
    const { title, code } = namesOf(error)
    return { ...plain(code, title, error.message), traceId: error.traceId, advice: adviceFor(code) }
  }
  if (error instanceof DOMException) return fileFailure(error)
  const detail = error instanceof Error ? error.message : 'The reason is unknown.'
  return plain('unexpected', 'Something went wrong in this page', detail)
}

function problemFailure(error: ProblemError): Failure {
  const { detail, code, status, traceId, extensions } = error
  const title = titles[code] ?? error.title
  const missingScope = code === 'scope_missing' ? scopeIn(`${extensions.scope ?? ''} ${detail}`) : null
  return { title, detail, advice: adviceFor(code), code, status, traceId, missingScope }
}

function namesOf(error: DocumentsClientError): { title: string; code: string } {
  if (error instanceof ConnectionError)
    return { code: 'no_answer', title: 'The document service does not answer' }
  if (error instanceof StoreError)
    return { code: 'store_unusable', title: 'The object store could not be used' }
  if (error instanceof DigestMismatchError)
    return { code: 'bytes_differ', title: 'The bytes do not match the digest' }
  if (error instanceof SizeMismatchError)
    return { code: 'bytes_differ', title: 'The number of bytes is wrong' }
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
      ...plain(
        'file_unreadable',
        'The file cannot be read',
        'It was changed, moved or deleted after it was chosen.',
      ),
      advice: adviceFor('file_unreadable'),
    }
  }
  if (name === 'QuotaExceededError')
    return plain('no_space', 'There is no space left', 'The browser has no space for this download.')
  return plain('unexpected', 'Something went wrong in this page', `The browser reported ${name}.`)
}

/** Returns a failure without a call to the service: no status, trace or advice. */
export function plain(code: string, title: string, detail: string): Failure {
  return { title, detail, code, advice: '', status: null, traceId: null, missingScope: null }
}

/** Titles that say more to a person than those of the service, which are about the protocol. */
const titles: Readonly<Record<string, string>> = {
  precondition_failed: 'The tag is not where it was',
}

/** What a person can do, by the code of the failure. Codes without an entry need no advice. */
const advice: Readonly<Record<string, string>> = {
  no_answer: 'Check your connection and try again. If the problem persists, the service may be down.',
  store_unusable: 'Try again. If the problem persists, tell the operator of the object store.',
  bytes_differ:
    'Do not use the received bytes. Try again; if the problem persists, send the operator the trace id.',
  verification_pending: 'Upload the file again in a few minutes: bytes that have arrived are not sent twice.',
  answer_unreadable:
    'Something between this page and the service may alter answers. Send the operator the trace id.',
  file_unreadable: 'Choose the file again.',
  credentials_missing: 'Sign in again.',
  credentials_invalid: 'Sign in again.',
  document_not_found: 'It may have been deleted, or the address is wrong.',
  tags_exhausted: 'Remove tags of this document that are not needed any more.',
  version_unknown: 'It may have been deleted. Reload the versions.',
  conflict: 'Someone else changed the same document at the same time. Reload and repeat your change.',
  precondition_failed: 'Someone else moved this tag in the meantime. See where it is now, and try again.',
  document_too_large: 'Split it, or ask the operator for a higher limit.',
  busy: 'Try again in a few seconds.',
  store_unavailable: 'If the problem persists, tell the operator of the object store.',
  store_refused: 'Send the operator the trace id.',
  issuer_unavailable: 'If the problem persists, tell the operator of the issuer.',
  integrity_violated: 'Do not use this version. Send the operator the trace id.',
  internal_error: 'Send the operator the trace id.',
  cursor_invalid: 'Reload the list.',
}

/** Returns what a person can do about a failure with this code; empty if there is nothing to add. */
export function adviceFor(code: string): string {
  return advice[code] ?? ''
}

/** Returns the scope that a text names, such as `documents:write`; `null` if it names none. */
export function scopeIn(text: string): string | null {
  return /\bdocuments:(?:read|write|admin)\b/.exec(text)?.[0] ?? null
}
