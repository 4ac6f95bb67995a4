import { Elysia, ValidationError } from 'elysia'
import type { Authenticator } from '../authn/authenticator.ts'
import type { ArchiveLinks } from '../documents/archives/archive-links.ts'
import type { Documents } from '../documents/documents.ts'
import type { Transfers } from '../documents/transfers.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ServiceMetrics } from '../telemetry/service-metrics.ts'
import type { RequestSpans } from '../telemetry/traced-request.ts'
import { createAccess } from './access.ts'
import { createAdmission } from './admission.ts'
import { type LocatedCall, logFailure } from './call.ts'
import { createEdge } from './edge.ts'
import { createFairRequests, type FairArrival } from './fair-requests.ts'
import type { Network } from './headers/forwarded-for.ts'
import { createOpenApiPages } from './pages/docs-page.ts'
import { createHealth } from './pages/health.ts'
import { isPolicyOrigin } from './pages/ui-headers.ts'
import { createUiPages, type UiOptions } from './pages/ui-pages.ts'
import { methodNotAllowed, noSuchRoute, ProblemError, problemResponse, toProblem } from './problem.ts'
import { type FormError, formProblem, readQuery } from './request-form.ts'
import { requestUrl } from './request-url.ts'
import { addressesOf, type Route, withHeads } from './route.ts'
import { archiveRoutes } from './routes/archive-routes.ts'
import { batchRoutes } from './routes/batch-routes.ts'
import { documentRoutes } from './routes/document-routes.ts'
import { historyRoutes } from './routes/history-routes.ts'
import { nameRoutes } from './routes/name-routes.ts'
import { tagRoutes } from './routes/tag-routes.ts'
import { transferRoutes } from './routes/transfer-routes.ts'
import type { Served } from './server.ts'
import type { TagHistory } from './tag-history.ts'

export interface AppParts {
  documents: Documents
  transfers: Transfers
  archiveLinks: ArchiveLinks
  authenticator: Authenticator
  logger: Logger
  documentBytesMax: number
  /** Requests under way at once, uploads not counted. */
  requestsMax: number
  /** Default: that of `limits.ts`. */
  uploadsBytesMax?: number | undefined
  /** Watches of tags at once; default: that of `limits.ts`. */
  watchesMax?: number | undefined
  /** Without it, the history of tags is answered 501. */
  tagHistory?: TagHistory | undefined
  /** Proxies whose `X-Forwarded-For` names the client. */
  trustedProxies: readonly Network[]
  /** The Control UI; without it, only the API is served. */
  ui?: UiOptions | undefined
  spans: RequestSpans
  metrics: ServiceMetrics
}

/** Everything that is answered at the address of the service: the API, its description, health and the UI. */
export interface App {
  /** Every call that needs a token. */
  routes: readonly Route[]
  /** Answers requests; `listen` sets its server. */
  elysia: Served
  /** From now on `/readyz` answers 503, while everything else is still served. */
  drain(): void
  /** Writes the audit lines that are still to be written, after the last answer. */
  close(): void
}

/** Builds the HTTP side of the service on the domain. */
export function createApp(parts: AppParts): App {
  const { documents, transfers, archiveLinks, authenticator, logger, documentBytesMax, ui, spans, metrics } =
    parts
  const routes = withHeads([
    ...documentRoutes(documents),
    ...nameRoutes(documents),
    ...tagRoutes(documents),
    ...transferRoutes(transfers),
    ...batchRoutes(documents, transfers),
    ...archiveRoutes(documents, archiveLinks),
    ...historyRoutes(parts.tagHistory),
  ])
  const health = createHealth(documents, logger)
  for (const origin of ui?.connectOrigins ?? []) {
    if (!isPolicyOrigin(origin)) logger.warn('ui.origin_out_of_reach', { origin })
  }
  const access = createAccess(authenticator, archiveLinks, logger)
  const admission = createAdmission({ access, logger, metrics, documentBytesMax })
  const fairRequests = createFairRequests(parts)
  const edge = createEdge({ trustedProxies: parts.trustedProxies, logger, spans, metrics })

  const app = new Elysia({
    // The default silently drops unknown fields, which must be refused.
    normalize: false,
    // The default knows each address with a slash at its end, too; we do not.
    strictPath: true,
    // The default takes host names of fewer than four characters for a part of the path.
    handler: { standardHostname: false },
  })
    .decorate('call', undefined as unknown as LocatedCall)
    .onError(({ request, error, code }) =>
      answerFailure(request, code === 'NOT_FOUND' ? noSuchRoute() : error),
    )
    .onRequest((context) => {
      context.call = Object.assign(edge.callOf(context.request), { url: requestUrl(context.request) })
    })
  edge.surround(app)

  // One route of Elysia for all methods of an address. With a route for each method, Elysia answers an unknown one at a
  // known address with 404, and HEAD by the handler of GET, read to its end for its length, even where HEAD has a
  // handler of its own (measured: `tests/unit/service/http/elysia.test.ts`).
  for (const address of addressesOf(routes)) {
    app.all(
      address.path,
      async ({ request, params, call }) => {
        const { url, admitted } = call
        if (!admitted) throw new Error(`a request came to ${address.path} without being admitted`)
        const { route, context } = admitted
        // Not by Elysia: with a schema of TypeBox it refuses `limit=10`, which stays a text, and with one of its own it
        // takes `1e1`, `0x10` and `+5` for whole numbers (measured: `tests/unit/service/http/elysia.test.ts`).
        const query = readQuery(route.query, url.searchParams)
        const arrival = { request, tenant: String(params.tenant) }
        const end = await begin(call, route, arrival)
        try {
          access.record(call)
          const standBy = <T>(wait: () => Promise<T>) => standingBy(call, { arrival, end, wait })
          return await route.handle({ request, params, query, context, standBy })
        } finally {
          // The bytes of a download may still be on their way: they hold a connection to the store, and are limited by it.
          end()
        }
      },
      {
        // Bodies are read by the handlers: streamed, or bounded and checked.
        parse: 'none',
        // Before the path is validated, which is the next thing that Elysia does: what comes here are any texts.
        async transform({ request, params, call }) {
          const texts = params as Record<string, string>
          call.admitted = await admission.admit(address, { request, params: texts, call })
        },
        params: address.params,
      },
    )
  }
  for (const path of ['/v1', '/v1/*'])
    app.all(path, ({ request, call }) => admission.refuseUnknown(request, call), { parse: 'none' })

  const pages = [
    ...health.pages,
    ...createOpenApiPages(routes, { documentBytesMax }),
    ...(ui ? createUiPages(ui) : []),
  ]
  for (const page of pages) {
    const answer = ({ request, call }: { request: Request; call: LocatedCall }) => {
      call.route = page.route ?? page.path
      if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(['GET', 'HEAD'])
      return page.answer(request, call.url.pathname)
    }
    app.all(page.path, answer, { parse: 'none' })
    // Without this one, Elysia reads the whole answer for its length at addresses without a parameter.
    app.head(page.path, answer)
  }

  async function begin(call: LocatedCall, route: Route, arrival: FairArrival): Promise<() => void> {
    try {
      return await fairRequests.begin(route, arrival)
    } catch (error) {
      if (error instanceof ProblemError) access.refused(call, error.code)
      throw error
    }
  }

  async function standingBy<T>(
    call: LocatedCall,
    { arrival, end, wait }: { arrival: FairArrival; end: () => void; wait: () => Promise<T> },
  ): Promise<T> {
    const endWatch = await fairRequests.wait(arrival)
    end()
    const startedAt = performance.now()
    try {
      return await wait()
    } finally {
      call.stoodByMilliseconds += performance.now() - startedAt
      endWatch()
    }
  }

  function answerFailure(request: Request, error: unknown): Response {
    const call = edge.callOf(request)
    access.record(call)
    const problem = error instanceof ValidationError ? pathProblem(error) : toProblem(error)
    call.problem = problem.code
    logFailure(logger, problem, { request, call })
    return problemResponse(problem, call.trace.traceId)
  }

  const withToken = routes.filter(({ credential }) => credential === undefined)
  return { routes: withToken, elysia: app, drain: health.drain, close: access.close }
}

function pathProblem(error: ValidationError): ProblemError {
  const errors = error.all.map((each): FormError => {
    const { path = '', message = 'has the wrong form' } = each as { path?: string; message?: string }
    return { in: 'path', pointer: path, message }
  })
  return formProblem(errors)
}
