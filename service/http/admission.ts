import type { Principal } from '../authz/principal.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ServiceMetrics } from '../telemetry/service-metrics.ts'
import type { RequestSubject } from '../telemetry/traced-request.ts'
import type { Access } from './access.ts'
import { type Admitted, type Decision, idsOf, type LocatedCall, logFailure } from './call.ts'
import { contentLength } from './headers/content-length.ts'
import { requireJson, requireUncoded } from './headers/media-type.ts'
import { methodNotAllowed, noSuchRoute, ProblemError, toProblem } from './problem.ts'
import { type Address, type AdmittedContext, jsonBytesMax, type Route } from './route.ts'

export interface AdmissionOptions {
  access: Access
  logger: Logger
  metrics: ServiceMetrics
  documentBytesMax: number
}

/** A request to the API, found by Elysia, whose path was not validated yet. */
export interface Arrival {
  request: Request
  /** Percent-decoded. */
  params: Readonly<Record<string, string>>
  call: LocatedCall
}

/** Decides whether a request to the API gets any further. */
export interface Admission {
  /**
   * For an address of the table. Refuses in the order that the API promises (ARCHITECTURE.md, "Order of answers"):
   * token, tenant, scope, method, size, media type, then the form of everything but path and query.
   *
   * @throws {ProblemError}
   */
  admit(address: Address, arrival: Arrival): Promise<Admitted>
  /**
   * For every other address: only callers with a good token learn that it does not exist, and below a tenant only
   * those with a token for that tenant.
   *
   * @throws {ProblemError} always
   */
  refuseUnknown(request: Request, call: LocatedCall): Promise<never>
}

/** Returns the admission, which every request to the API passes before its path and query are validated. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { access, logger, metrics, documentBytesMax } = options

  function contextOf(arrival: Arrival, decision: Decision, principal: Principal): AdmittedContext {
    const { request, call } = arrival
    const { correlationId, trace, clientAddress, admittedAt, about } = call
    const known = { correlationId, trace, clientAddress, admittedAt }
    return {
      ...known,
      principal,
      isServed: clientAddress !== undefined,
      auditSignedUrl(signedUrl, item) {
        const asked = { ...known, about: { ...about, ...item } }
        access.signedUrl(principal, decision.action, asked, signedUrl)
      },
      auditItem(item) {
        call.hasItemLines = true
        return access.item(decision, { ...known, about: { ...about, ...item } })
      },
      itemProblem(error) {
        const problem = toProblem(error)
        logFailure(logger, problem, arrival)
        return problem
      },
      bodyFailed(reason) {
        // The client disconnected: there is nothing to report.
        if (request.signal.aborted) return
        metrics.responseBrokenOff()
        logger.error('response.broken_off', { cause: reason, ...idsOf(call) })
      },
      found(subject) {
        call.about = { ...call.about, ...subject }
      },
    }
  }

  function permit(
    routes: Address['routes'],
    principal: Principal,
    { request, call }: Arrival,
  ): { route: Route; decision: Decision } {
    const route = routes.find(({ method }) => method === request.method)
    if (route) return { route, decision: access.requireScope(principal, route.action, call) }
    const actions = routes.map(({ action }) => action)
    // A caller who may do nothing at this address does not learn what could be done.
    access.requireAnyScope(principal, actions, call)
    throw methodNotAllowed(routes.map(({ method }) => method))
  }

  async function admitByToken(routes: Address['routes'], arrival: Arrival) {
    const { request, params, call } = arrival
    call.about = params
    const principal = await access.authenticate(request, call)
    access.requireTenant(principal, params.tenant, call)
    return { principal, ...permit(routes, principal, arrival) }
  }

  /** A link is good for the methods of its address that read, and for nothing else. */
  async function admitByLink(routes: Address['routes'], { request, params, call }: Arrival) {
    const { tenant, link = '' } = params
    call.about = { tenant }
    call.url = new URL(`${routes[0].path}${call.url.search}`, call.url)
    const route = routes.find(({ method }) => method === request.method)
    const { action } = route ?? routes[0]
    const admitted = await access.admitLink(link, action, call)
    if (!route) throw methodNotAllowed(routes.map(({ method }) => method))
    return { ...admitted, route }
  }

  return {
    async admit({ path, routes }, arrival) {
      const { request, call } = arrival
      // For log and trace, whatever becomes of the request.
      call.route = path
      const { principal, route, decision } =
        routes[0].credential === 'link'
          ? await admitByLink(routes, arrival)
          : await admitByToken(routes, arrival)
      refuseBody(route, request, documentBytesMax)
      refuseRepeated(call.url.searchParams)
      refuseUnknownPreconditions(route, request.headers)
      return { route, context: contextOf(arrival, decision, principal) }
    },

    async refuseUnknown(request, call) {
      call.about = subjectOf(call.url.pathname)
      const principal = await access.authenticate(request, call)
      if (call.about.tenant !== undefined) access.requireTenant(principal, call.about.tenant, call)
      throw noSuchRoute()
    },
  }
}

/** The tenant of `/v1/tenants/<tenant>…`, and what follows it where it has the shape of a document. */
function subjectOf(pathname: string): RequestSubject {
  const [, , tenants, tenant, , type, name, kind, id] = pathname.split('/').map(decodeSegment)
  if (tenants !== 'tenants' || !tenant) return {}
  const digest = kind === 'versions' ? id : undefined
  const tag = kind === 'tags' ? id : undefined
  return { tenant, type, name, digest, tag }
}

/** A malformed percent-encoding stays as it is. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function refuseBody(route: Route, request: Request, documentBytesMax: number): void {
  if (route.body === 'none') return
  const size = contentLength(request) ?? 0
  if (route.body === 'document') {
    if (size > documentBytesMax) throw tooLarge('document_too_large', documentBytesMax)
    requireUncoded(request.headers)
    return
  }
  const bytesMax = jsonBytesMax(route.body)
  if (size > bytesMax) throw tooLarge('body_too_large', bytesMax)
  // Whether a body without a length is empty shows when it is read.
  const mayBeEmpty = request.body === null || !request.headers.has('content-type')
  if (route.body.optional && size === 0 && mayBeEmpty) return
  requireJson(request.headers)
}

function tooLarge(code: 'document_too_large' | 'body_too_large', bytesMax: number): ProblemError {
  return new ProblemError(code, `At most ${bytesMax} bytes are accepted here.`, { members: { bytesMax } })
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
  if (new Set(parameters.keys()).size === parameters.size) return
  throw new ProblemError('request_invalid', 'A query parameter is given more than once.')
}
