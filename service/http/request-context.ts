import type { Principal } from '../authz/principal.ts'
import { correlationIdFrom } from '../telemetry/correlation.ts'
import { formatTraceparent, type TraceContext } from '../telemetry/trace-context.ts'
import type { RequestSubject } from '../telemetry/traced-request.ts'

/** What is known of a request before anything was decided about it. */
export interface RequestContext {
  correlationId: string
  trace: TraceContext
  clientAddress: string | undefined
  /** When the request came in: orders the moves of `latest`. */
  admittedAt: Date
}

/** What is known of a request that may proceed. */
export interface AdmittedContext extends RequestContext {
  principal: Principal
  /**
   * Logs that a body broke off after its answer had begun. Bun prints what a body errs with, stack and source
   * lines included, on standard error; one that errs with nothing just resets the connection.
   */
  bodyFailed(reason: unknown): void
  /** Writes the audit line of a signed URL (its id and expiry); to be called before it is given out. */
  auditSignedUrl(signedUrl: { id: string; expiresAt: string }): void
  /** Tells log and trace what the path does not say, such as the digest of an upload. */
  found(subject: RequestSubject): void
}

export function requestContextFrom(
  request: Request,
  clientAddress: string | undefined,
  trace: TraceContext,
): RequestContext {
  return {
    correlationId: correlationIdFrom(request.headers.get('x-correlation-id')),
    trace,
    clientAddress,
    admittedAt: new Date(),
  }
}

/** Every answer names the request it belongs to, and is not guessed at by the browser. */
export function stampResponse(response: Response, { correlationId, trace }: RequestContext): Response {
  response.headers.set('x-correlation-id', correlationId)
  response.headers.set('traceparent', formatTraceparent(trace))
  response.headers.set('x-content-type-options', 'nosniff')
  return response
}
