import type { Action } from '../authz/policy.ts'
import { correlationIdFrom } from '../telemetry/correlation.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { TraceContext } from '../telemetry/trace-context.ts'
import type { RequestSubject } from '../telemetry/traced-request.ts'
import { type ProblemCode, problems } from '../wire/problems.ts'
import type { ProblemError } from './problem.ts'
import type { AdmittedContext, RequestContext, Route } from './route.ts'

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
  /** The decision that allows it, while no audit line says so. */
  unrecorded: Decision | undefined
  /** How long it has waited for what might happen, in milliseconds: that is no time of answering. */
  stoodByMilliseconds: number
  /** It was refused, and counted together with others in place of lines of its own. */
  isCounted: boolean
  /** The audit says of each thing that its body names how it ended. */
  hasItemLines: boolean
}

/** That someone may do something: who, what, and by which rule. */
export interface Decision {
  rule: string
  action: Action
  subject: string
}

/** A call whose URL was understood. */
export type LocatedCall = Call & { url: URL }

/** What a request may do: that of `route`. */
export interface Admitted {
  route: Route
  context: AdmittedContext
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
    unrecorded: undefined,
    stoodByMilliseconds: 0,
    isCounted: false,
    hasItemLines: false,
  }
}

/**
 * Logs the cause of a problem that is a fault of the service or its store, whether it is the answer or a part of it;
 * nothing if the client has disconnected, which makes calls fail by itself.
 */
export function logFailure(
  logger: Logger,
  { code, cause }: ProblemError,
  { request, call }: { request: Request; call: RequestContext },
): void {
  if (problems[code].status < 500 || request.signal.aborted) return
  const { correlationId, trace } = call
  logger.error('request.failed', { code, cause, correlationId, traceId: trace.traceId })
}

/** Returns the ids that join the lines of the log about a call. */
export function idsOf({ correlationId, trace: { traceId, spanId } }: RequestContext) {
  return { correlationId, traceId, spanId }
}
