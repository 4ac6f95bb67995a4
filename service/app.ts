import type { Authenticator } from './authn/authenticator.ts'
import type { Documents } from './documents/documents.ts'
import type { Transfers } from './documents/transfers.ts'
import { createAccess } from './http/access.ts'
import { createEdge } from './http/edge.ts'
import { type Exposition, listenForMetrics } from './http/metrics-server.ts'
import { createHealth } from './http/pages/health.ts'
import { createOpenApiPages } from './http/pages/openapi-pages.ts'
import { anyOf } from './http/pages/public-pages.ts'
import { isPolicyOrigin } from './http/pages/ui-headers.ts'
import { createUiPages, type UiOptions } from './http/pages/ui-pages.ts'
import type { Route } from './http/route.ts'
import { createRouter } from './http/router.ts'
import { documentRoutes } from './http/routes/document-routes.ts'
import { tagRoutes } from './http/routes/tag-routes.ts'
import { transferRoutes } from './http/routes/transfer-routes.ts'
import type { RunningServer } from './http/server.ts'
import { listen } from './http/server.ts'
import type { Logger } from './telemetry/logger.ts'
import { noMetrics, type ServiceMetrics } from './telemetry/service-metrics.ts'
import { idsAlone, type RequestSpans } from './telemetry/traced-request.ts'

export interface AppParts {
  documents: Documents
  transfers: Transfers
  authenticator: Authenticator
  logger: Logger
  documentBytesMax: number
  /** The Control UI; without it there is the API alone. */
  ui?: UiOptions | undefined
  /** Default: nobody collects them. */
  spans?: RequestSpans | undefined
  /** Default: nobody counts. */
  metrics?: ServiceMetrics | undefined
}

export interface App {
  /** Every call that needs a token. */
  routes: readonly Route[]
  /** @param clientAddress the peer's, for the audit line. */
  answer(request: Request, clientAddress: string | undefined): Promise<Response>
  listen(address: { host: string; port: number }): RunningServer
  /** `/metrics`, on a listener of its own. */
  listenForMetrics(address: { host: string; port: number }, metrics: Exposition): RunningServer
  /** `/readyz` says from now on that nothing more should be sent here. */
  drain(): void
}

/** The composition root: the service from its parts, with nothing read from the world. */
export function createApp(parts: AppParts): App {
  const { documents, transfers, authenticator, logger, documentBytesMax, ui } = parts
  const routes = [...documentRoutes(documents), ...tagRoutes(documents), ...transferRoutes(transfers)]
  const health = createHealth(documents)
  for (const origin of ui?.connectOrigins ?? []) {
    if (!isPolicyOrigin(origin)) logger.warn('ui.origin_out_of_reach', { origin })
  }
  const answer = createEdge({
    access: createAccess(authenticator, logger),
    routes,
    router: createRouter(routes),
    pages: anyOf(
      health.pages,
      createOpenApiPages(routes, { documentBytesMax }),
      ...(ui ? [createUiPages(ui)] : []),
    ),
    logger,
    spans: parts.spans ?? idsAlone,
    metrics: parts.metrics ?? noMetrics,
    documentBytesMax,
  })
  return {
    routes,
    answer,
    listen: (address) => listen(address, answer),
    listenForMetrics,
    drain: health.drain,
  }
}
