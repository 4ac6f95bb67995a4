import type { Authenticator } from '../authn/authenticator.ts'
import type { Documents } from '../documents/documents.ts'
import type { Transfers } from '../documents/transfers.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { ServiceMetrics } from '../telemetry/service-metrics.ts'
import type { RequestSpans } from '../telemetry/traced-request.ts'
import { createAccess } from './access.ts'
import { createEdge } from './edge.ts'
import { createHealth } from './pages/health.ts'
import { createOpenApiPages } from './pages/openapi-pages.ts'
import { anyOf } from './pages/public-pages.ts'
import { isPolicyOrigin } from './pages/ui-headers.ts'
import { createUiPages, type UiOptions } from './pages/ui-pages.ts'
import type { Route } from './route.ts'
import { createRouter } from './router.ts'
import { documentRoutes } from './routes/document-routes.ts'
import { tagRoutes } from './routes/tag-routes.ts'
import { transferRoutes } from './routes/transfer-routes.ts'

export interface AppParts {
  documents: Documents
  transfers: Transfers
  authenticator: Authenticator
  logger: Logger
  documentBytesMax: number
  /** The Control UI; without it there is the API alone. */
  ui?: UiOptions | undefined
  spans: RequestSpans
  metrics: ServiceMetrics
}

/** Everything that is answered at the address of the service: the API, its description, health and the UI. */
export interface App {
  /** Every call that needs a token. */
  routes: readonly Route[]
  /** @param clientAddress the peer's, for the audit line. */
  answer(request: Request, clientAddress: string | undefined): Promise<Response>
  /** From now on `/readyz` answers 503, while everything else is still served. */
  drain(): void
}

/** Builds the HTTP side of the service on the domain. */
export function createApp(parts: AppParts): App {
  const { documents, transfers, authenticator, logger, documentBytesMax, ui, spans, metrics } = parts
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
    spans,
    metrics,
    documentBytesMax,
  })
  return { routes, answer, drain: health.drain }
}
