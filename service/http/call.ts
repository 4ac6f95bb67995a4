import type { Principal } from '../authz/principal.ts'
import { correlationIdFrom } from '../telemetry/correlation.ts'
import type { TraceContext } from '../telemetry/trace-context.ts'
import type { RequestSubject } from '../telemetry/traced-request.ts'
import type { ProblemCode } from '../wire/problems.ts'
import type { Route } from './route.ts'

/** One request under way: what the hooks of Elysia know of it, and what log, trace and metrics say of it at its end. */
export interface Call extends RequestContext {
  /** `null` until it was understood. */
  url: URL | null
  /** Template of the address, such as `/v1/tenants/:tenant/documents`; `undefined` for an unknown one. */
  route: string | undefined
  /** Code of the problem that the answer is. */
  problem: ProblemCode | undefined
  /** What the request is about, as far as it is known; unchecked. */
  about: RequestSubject
  /** What it may do, once that was decided; never for public pages. */
  admitted: Admitted | undefined
}

/** A call whose URL was understood. */
export type LocatedCall = Call & { url: URL }

/** What a request may do: that of `route`. */
export interface Admitted {
  route: Route
  context: AdmittedContext
}

/** What is known of a request before anything was decided about it. */
export interface RequestContext {
  correlationId: string
  trace: TraceContext
  clientAddress: string | undefined
  /** When the request came in: orders the moves of `latest`. */
  admittedAt: Date
}

/** What the handler of a route knows of a request that may proceed. */
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

/** Returns a new call for a request that has just come in. */
export function callOf(request: Request, clientAddress: string | undefined, trace: TraceContext): Call {
  return {
    correlationId: correlationIdFrom(request.headers.get('x-correlation-id')),
    trace,
    clientAddress,
    admittedAt: new Date(),
    url: null,
    route: undefined,
    problem: undefined,
    about: {},
    admitted: undefined,
  }
}

/** Returns the ids that join the lines of the log about a call. */
export function idsOf({ correlationId, trace: { traceId, spanId } }: RequestContext) {
  return { correlationId, traceId, spanId }
}
