import type { Documents } from '../../documents/documents.ts'
import { limits } from '../../limits.ts'
import type { Logger } from '../../telemetry/logger.ts'
import type { PublicPage } from './page.ts'

/** The health checks of the service. */
export interface Health {
  pages: readonly PublicPage[]
  /** From now on `/readyz` answers 503, while everything else is still served. */
  drain(): void
}

/**
 * Returns the health checks: `/livez` says that the process runs, `/readyz` whether it should receive requests. Both
 * answer with a status code and nothing more, since anyone may ask. An outage of the store must not restart the
 * service, so it shows in `/readyz` alone; and so does an audit that cannot be written, without which every request fails.
 */
export function createHealth(documents: Documents, logger: Pick<Logger, 'auditWorks'>): Health {
  let draining = false
  let checkedAt = Number.NEGATIVE_INFINITY
  let check: Promise<boolean> = Promise.resolve(false)

  function storeAnswers(): Promise<boolean> {
    if (performance.now() - checkedAt > limits.readinessCacheSeconds * 1000) {
      checkedAt = performance.now()
      const signal = AbortSignal.timeout(limits.readinessTimeoutSeconds * 1000)
      check = documents.ready(signal).then(
        () => true,
        () => false,
      )
    }
    return check
  }

  return {
    pages: [
      { path: '/livez', answer: () => codeOnly(200) },
      {
        path: '/readyz',
        answer: async () => codeOnly(!draining && logger.auditWorks() && (await storeAnswers()) ? 200 : 503),
      },
    ],
    drain() {
      draining = true
    },
  }
}

/** Returns whether a request, by its raw address, asks for one of these. */
export function isHealthCheck({ url }: Request): boolean {
  return /^(?:https?:\/\/[^/]+)?\/(?:livez|readyz)$/.test(url)
}

function codeOnly(status: number): Response {
  return new Response(null, { status, headers: { 'cache-control': 'no-store' } })
}
