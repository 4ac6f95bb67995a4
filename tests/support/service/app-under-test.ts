import type { ArchiveLinks } from '../../../service/documents/archives/archive-links.ts'
import type { Documents } from '../../../service/documents/documents.ts'
import type { Transfers } from '../../../service/documents/transfers.ts'
import { createApp } from '../../../service/http/app.ts'
import type { UiOptions } from '../../../service/http/pages/ui-pages.ts'
import { createLogger } from '../../../service/telemetry/logger.ts'
import { noMetrics } from '../../../service/telemetry/service-metrics.ts'
import { idsAlone } from '../../../service/telemetry/traced-request.ts'

/** The HTTP side of the service without a socket and without an issuer. */
export interface AppUnderTest {
  /** Sends a request with a token for tenant `acme` with all scopes; `request` is such as `GET /livez`. */
  ask(request: string, headers?: Record<string, string>): Promise<Response>
  /** Lines of the log that tell of an answered request. */
  answered(): Record<string, unknown>[]
}

/** Builds the app on as much of a domain as a test needs. */
export function appUnderTest(documents: Partial<Documents> = {}, ui?: UiOptions): AppUnderTest {
  const lines: string[] = []
  const scopes = new Set(['documents:read', 'documents:write', 'documents:admin'] as const)
  const principal = { subject: 'alice', tenants: new Set(['acme']), scopes }
  const { elysia } = createApp({
    documents: documents as Documents,
    transfers: {} as Transfers,
    archiveLinks: {} as ArchiveLinks,
    authenticator: { authenticate: async () => ({ ok: true, principal }) },
    logger: createLogger({
      level: 'info',
      service: 'test',
      destination: { write: (line) => lines.push(line) },
    }),
    documentBytesMax: 1000,
    requestsMax: 256,
    trustedProxies: [],
    ui,
    spans: idsAlone,
    metrics: noMetrics,
  })
  return {
    async ask(request, headers = {}) {
      const [method = '', path = ''] = request.split(' ')
      const host = { host: '127.0.0.1' }
      return elysia.fetch(
        new Request(`http://127.0.0.1${path}`, { method, headers: { ...host, ...headers } }),
      )
    },
    answered: () => lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'request.answered'),
  }
}
