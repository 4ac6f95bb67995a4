/** Everything the client throws of its own. No message or member ever holds the token or a response body. */

/** What names one call in the logs of both sides. */
export interface CallIds {
  correlationId: string
  /** 32 hexadecimal digits: the trace to look up in Tempo. */
  traceId: string
}

/** An argument that the service could only refuse; nothing was sent. */
export class ArgumentError extends TypeError {
  override readonly name = 'ArgumentError'
}

/** A call that failed. A call that `signal` aborted rejects with the signal's own reason instead. */
export abstract class DocumentsClientError extends Error {
  readonly correlationId: string
  readonly traceId: string

  constructor(message: string, ids: CallIds) {
    super(message)
    this.correlationId = ids.correlationId
    this.traceId = ids.traceId
  }
}

/** A problem document (RFC 9457), as far as the client reads it. */
export interface Problem {
  status: number
  /** Stable; `http_<status>` where the answer was no problem document, such as a proxy's own page. */
  code: string
  title: string
  detail: string
  /** `Retry-After` (RFC 9110 section 10.2.3); `null` where the service named no time. */
  retryAfterSeconds: number | null
  /** Members of the problem beyond the standard ones, such as `tags` of a `version_tagged`. */
  extensions: Readonly<Record<string, unknown>>
}

/** The service answered, and said no. */
export class ProblemError extends DocumentsClientError {
  override readonly name = 'ProblemError'
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly retryAfterSeconds: number | null
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(problem: Problem, ids: CallIds) {
    super(`${problem.detail || problem.title} (${problem.code})`, ids)
    this.status = problem.status
    this.code = problem.code
    this.title = problem.title
    this.detail = problem.detail
    this.retryAfterSeconds = problem.retryAfterSeconds
    this.extensions = problem.extensions
  }
}

/** No answer, or the connection broke while a body was on its way. Whether an upload took effect is unknown. */
export class ConnectionError extends DocumentsClientError {
  override readonly name = 'ConnectionError'

  constructor(
    /** Scheme, host and port that were called. */
    readonly origin: string,
    /** The runtime's own code, such as `ECONNREFUSED`; `unknown` where it has none. */
    readonly reason: string,
    ids: CallIds,
  ) {
    super(`The connection to the document service at ${origin} failed (${reason}).`, ids)
  }
}

/** The bytes are not the ones they are called: never use what was read so far. */
export class DigestMismatchError extends DocumentsClientError {
  override readonly name = 'DigestMismatchError'

  constructor(
    readonly expected: string,
    readonly actual: string,
    ids: CallIds,
  ) {
    super(`The bytes hash to ${actual}, not to ${expected}.`, ids)
  }
}

/** A body of another length than was announced: never use what was read so far. */
export class SizeMismatchError extends DocumentsClientError {
  override readonly name = 'SizeMismatchError'

  constructor(
    readonly expectedBytes: number,
    /** Bytes seen; of a body that is too long, those up to the moment it was given up. */
    readonly actualBytes: number,
    ids: CallIds,
  ) {
    super(`The body has ${actualBytes} bytes where ${expectedBytes} were announced.`, ids)
  }
}

/** A good status with an answer that breaks the API's contract: not this service, or a proxy that alters it. */
export class ProtocolError extends DocumentsClientError {
  override readonly name = 'ProtocolError'
}

/**
 * The object store could not be reached or did not do what the service had signed. Never holds the signed URL,
 * which is a credential.
 */
export class StoreError extends DocumentsClientError {
  override readonly name = 'StoreError'

  /** `null` where there was no answer. */
  readonly status: number | null
  /** The store's own code, such as `AccessDenied`, or the runtime's, such as `ECONNREFUSED`; otherwise `unknown`. */
  readonly reason: string
  readonly retryAfterSeconds: number | null

  constructor(
    /** Scheme, host and port of the store. */
    readonly origin: string,
    answer: { status: number | null; reason: string; retryAfterSeconds: number | null },
    ids: CallIds,
  ) {
    const { status, reason } = answer
    const what = status === null ? 'cannot be used' : `answered ${status}`
    super(`The object store at ${origin} ${what} (${reason}).`, ids)
    this.status = status
    this.reason = reason
    this.retryAfterSeconds = answer.retryAfterSeconds
  }
}

/** The bytes are uploaded, and the service is still verifying them. To put them again later is safe. */
export class CompletionPendingError extends DocumentsClientError {
  override readonly name = 'CompletionPendingError'

  constructor(seconds: number, ids: CallIds) {
    super(
      `The service has not verified the upload within ${Math.round(seconds)} seconds. Put it again later.`,
      ids,
    )
  }
}
