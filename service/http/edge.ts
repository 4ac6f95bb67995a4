import type { Principal } from '../authz/principal.ts'
import { limits } from '../limits.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ServiceMetrics } from '../telemetry/service-metrics.ts'
import type { RequestSpans, RequestSubject } from '../telemetry/traced-request.ts'
import type { Access, AccessTarget } from './access.ts'
import { toProblem } from './error-mapping.ts'
import { contentLength } from './headers/content-length.ts'
import { requireJson, requireUncoded } from './headers/media-type.ts'
import { isHealthCheck } from './pages/health.ts'
import { type PublicPages, publicAnswer } from './pages/public-pages.ts'
import { methodNotAllowed, noSuchRoute, ProblemError, problemResponse, problems } from './problem.ts'
import {
  type AdmittedContext,
  type RequestContext,
  requestContextFrom,
  stampResponse,
} from './request-context.ts'
import { isApi, requestUrl } from './request-url.ts'
import { decodeSegment, matchRoute, type Route, type RouteMatch } from './route.ts'
import type { Router } from './router.ts'

export interface EdgeOptions {
  access: Access
  routes: readonly Route[]
  router: Router
  pages: PublicPages
  logger: Logger
  spans: RequestSpans
  metrics: ServiceMetrics
  documentBytesMax: number
}

/**
 * Everything that comes before a route's own work, in the order that is promised (ARCHITECTURE.md, "Order of
 * answers"): token, tenant, scope, method, size, media type; then the route. Every failure below becomes a problem document here.
 */
export function createEdge(options: EdgeOptions) {
  const { logger, spans, metrics } = options

  async function answer(request: Request, context: RequestContext, trail: Trail): Promise<Response> {
    const url = requestUrl(request)
    const { pathname, searchParams } = url
    trail.url = url
    if (!isApi(pathname)) {
      const page = options.pages.find(pathname)
      if (page) trail.route = page.route
      return publicAnswer(page, request)
    }
    const target = targetOf(pathname)
    trail.about = target
    const match = matchRoute(options.routes, request.method, pathname)
    // For the log, whoever asks: nothing is answered by it before the caller was admitted.
    trail.route = match.found ? match.route.path : match.others[0]?.path
    const principal = await options.access.authenticate(request, context, target)
    if (target.tenant === undefined) throw noSuchRoute()
    options.access.requireTenant(principal, target.tenant, context, target)
    const { route, about } = admitRoute(match, principal, context, target)
    refuseBody(route, request, options.documentBytesMax)
    refuseRepeated(searchParams)
    refuseUnknownPreconditions(route, request.headers)
    const admitted: AdmittedContext = {
      ...context,
      principal,
      auditSignedUrl: (signedUrl) =>
        options.access.signedUrl(principal, route.action, context, about, signedUrl),
      bodyFailed(reason) {
        // Whoever went away knows it.
        if (request.signal.aborted) return
        metrics.responseBrokenOff()
        logger.error('response.broken_off', { cause: reason, ...idsOf(context) })
      },
      found(subject) {
        trail.about = { ...trail.about, ...subject }
      },
    }
    return options.router.dispatch({ route, request, parameters: searchParams, context: admitted })
  }

  function admitRoute(
    match: RouteMatch,
    principal: Principal,
    context: RequestContext,
    target: AccessTarget,
  ): { route: Route; about: AccessTarget } {
    if (!match.found) {
      const { others } = match
      if (others.length === 0) throw noSuchRoute()
      // Whoever may do nothing at this address is not told what could be done.
      options.access.requireAnyScope(
        principal,
        others.map(({ action }) => action),
        context,
        target,
      )
      throw methodNotAllowed(others.map(({ method }) => method))
    }
    const about = { ...target, ...match.params }
    options.access.requireScope(principal, match.route.action, context, about)
    return { route: match.route, about }
  }

  return async (request: Request, clientAddress: string | undefined): Promise<Response> => {
    const startedAt = performance.now()
    const { method, headers } = request
    metrics.requestBegan()
    const span = spans.begin({
      method,
      traceparent: headers.get('traceparent'),
      untraced: isHealthCheck(request),
    })
    const context = requestContextFrom(request, clientAddress, span.trace)
    const trail: Trail = { about: {} }
    const response = await span.run(async () => {
      const answered = await answer(request, context, trail).catch((error) => {
        const problem = logFailure(error, request, context)
        trail.problem = problem.code
        return problemResponse(problem, context.trace.traceId)
      })
      logger.info('request.answered', {
        method,
        route: trail.route,
        tenant: trail.about.tenant,
        digest: trail.about.digest,
        status: answered.status,
        code: trail.problem,
        durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
        ...idsOf(context),
      })
      return stampResponse(answered, context)
    })
    const { status } = response
    const { route, problem, url = null, about } = trail
    const { correlationId } = context
    span.end({ route, status, problem, url, clientAddress, correlationId, about })
    metrics.requestAnswered({ method, route, status, seconds: (performance.now() - startedAt) / 1000 })
    return response
  }

  function logFailure(error: unknown, request: Request, context: RequestContext): ProblemError {
    const problem = toProblem(error)
    if (problems[problem.code].status >= 500 && !request.signal.aborted) {
      const { correlationId, trace } = context
      logger.error('request.failed', {
        code: problem.code,
        cause: problem.cause,
        correlationId,
        traceId: trace.traceId,
      })
    }
    return problem
  }
}

function idsOf({ correlationId, trace: { traceId, spanId } }: RequestContext) {
  return { correlationId, traceId, spanId }
}

/** What log and trace say of a request besides its answer, as far as it came. */
interface Trail {
  url?: URL
  route?: string | undefined
  problem?: string
  about: RequestSubject
}

/** The tenant of `/v1/tenants/<tenant>…`, and what follows it where it has the shape of a document. */
function targetOf(pathname: string): AccessTarget {
  const [, , tenants, tenant, , type, name, kind, id] = pathname.split('/').map(decodeSegment)
  if (tenants !== 'tenants' || !tenant) return {}
  const digest = kind === 'versions' ? id : undefined
  const tag = kind === 'tags' ? id : undefined
  return { tenant, type, name, digest, tag }
}

function refuseBody(route: Route, request: Request, documentBytesMax: number): void {
  if (route.body === 'none') return
  const size = contentLength(request) ?? 0
  if (route.body === 'document') {
    if (size > documentBytesMax) throw tooLarge('document_too_large', documentBytesMax)
    requireUncoded(request.headers)
    return
  }
  if (size > limits.jsonBodyBytesMax) throw tooLarge('body_too_large', limits.jsonBodyBytesMax)
  if (route.body.optional && size === 0 && request.body === null) return
  requireJson(request.headers)
}

function tooLarge(code: 'document_too_large' | 'body_too_large', bytesMax: number): ProblemError {
  return new ProblemError(code, `At most ${bytesMax} bytes are accepted here.`, { bytesMax })
}

/**
 * A write whose precondition is not understood must not go through: its sender believes it guarded. Reads may
 * ignore what they do not know (RFC 9110 section 13.2.1).
 */
function refuseUnknownPreconditions(route: Route, headers: Headers): void {
  if (route.method === 'GET' || route.method === 'HEAD') return
  for (const name of ['If-Match', 'If-None-Match', 'If-Unmodified-Since']) {
    if (!headers.has(name) || name in route.requestHeaders) continue
    throw new ProblemError('request_invalid', `${name} is not taken here. Leave it out.`)
  }
}

/** Of a parameter that comes twice, one would be ignored in silence. */
function refuseRepeated(parameters: URLSearchParams): void {
  for (const name of new Set(parameters.keys())) {
    if (parameters.getAll(name).length === 1) continue
    throw new ProblemError('request_invalid', 'A query parameter is given more than once.')
  }
}
