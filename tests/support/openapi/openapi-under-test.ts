import type { ArchiveLinks } from '../../../service/documents/archives/archive-links.ts'
import type { Documents } from '../../../service/documents/documents.ts'
import type { Transfers } from '../../../service/documents/transfers.ts'
import { describeApi } from '../../../service/http/openapi/openapi.ts'
import type { OpenApiDocument } from '../../../service/http/openapi/types.ts'
import type { Route } from '../../../service/http/route.ts'
import { archiveRoutes } from '../../../service/http/routes/archive-routes.ts'
import { batchRoutes } from '../../../service/http/routes/batch-routes.ts'
import { documentRoutes } from '../../../service/http/routes/document-routes.ts'
import { historyRoutes } from '../../../service/http/routes/history-routes.ts'
import { nameRoutes } from '../../../service/http/routes/name-routes.ts'
import { tagRoutes } from '../../../service/http/routes/tag-routes.ts'
import { transferRoutes } from '../../../service/http/routes/transfer-routes.ts'

/** The table of routes, with no domain behind it: it can be described, but not called. */
export const routes: readonly Route[] = [
  ...documentRoutes({} as Documents),
  ...nameRoutes({} as Documents),
  ...tagRoutes({} as Documents),
  ...transferRoutes({} as Transfers),
  ...batchRoutes({} as Documents, {} as Transfers),
  ...archiveRoutes({} as Documents, {} as ArchiveLinks),
  ...historyRoutes(undefined),
]

/** Returns the OpenAPI document as it is sent. */
export function describedApi(of: readonly Route[] = routes): OpenApiDocument {
  return JSON.parse(JSON.stringify(describeApi(of, { documentBytesMax: 1000 })))
}
