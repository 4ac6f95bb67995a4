import type { Principal } from '../authz/principal.ts'
import { limits } from '../limits.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Access, AccessTarget } from './access.ts'
import { contentLength } from './content-length.ts'
import { toProblem } from './error-mapping.ts'
import { requireJson, requireUncoded } from './media-type.ts'
import { methodNotAllowed, noSuchRoute, ProblemError, problemResponse, problems } from './problem.ts'
import { type PublicPages, publicAnswer } from './public-pages.ts'
import {
  type AdmittedContext,
  type RequestContext,
  requestContextFrom,
  stampResponse,
} from './request-context.ts'
import { isApi, requestUrl } from './request-url.ts'
import { decodeSegment, matchRoute, type Route } from './route.ts'
import type { Router } from './router.ts'

export interface EdgeOptions {
  access: Access
  routes: readonly Route[]
  router: Router
  pages: PublicPages
  logger: Logger
  documentBytesMax: number
}

/**
 * Everything that comes before a route's own work, in the order of the design's section 3: token, tenant,
 * scope, method, size, media type; then the route. Every failure below becomes a problem document here.
 */
export function createEdge(options: EdgeOptions) {
  const { logger } = options

  async function answer(request: Request, context: RequestContext, trail: Trail): Promise<Response> {
    const { pathname, searchParams } = requestUrl(request)
    if (!isApi(pathname)) return publicAnswer(options.pages, request, pathname)
    const target = targetOf(pathname)
    trail.tenant = target.tenant
    const principal = await options.access.authenticate(request, context, target)
    if (target.tenant === undefined) throw noSuchRoute()
    options.access.requireTenant(principal, target.tenant, context, target)
    const { route, about } = admitRoute(request, pathname, principal, context, target)
    trail.route = route.path
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
        if (!request.signal.aborted) logger.error('response.broken_off', { cause: reason, ...idsOf(context) })
      },
    }
    return options.router.dispatch({ route, request, parameters: searchParams, context: admitted })
  }

  function admitRoute(
    request: Request,
    pathname: string,
    principal: Principal,
    context: RequestContext,
    target: AccessTarget,
  ): { route: Route; about: AccessTarget } {
    const match = matchRoute(options.routes, request.method, pathname)
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
    const context = requestContextFrom(request, clientAddress)
    const trail: Trail = {}
    let response: Response
    try {
      response = await answer(request, context, trail)
    } catch (error) {
      response = problemResponse(logFailure(error, request, context), context.trace.traceId)
    }
    stampResponse(response, context)
    logger.info('request.answered', {
      method: request.method,
      route: trail.route,
      tenant: trail.tenant,
      status: response.status,
      durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
      ...idsOf(context),
    })
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

function idsOf({ correlationId, trace }: RequestContext) {
  return { correlationId, traceId: trace.traceId }
}

/** What the log says of a request besides its answer, as far as it came. */
interface Trail {
  route?: string
  tenant?: string | undefined
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
