import type { AnyElysia } from 'elysia'
import type { Logger } from '../telemetry/logger.ts'
import type { ServiceMetrics } from '../telemetry/service-metrics.ts'
import { formatTraceparent } from '../telemetry/trace-context.ts'
import type { RequestSpans } from '../telemetry/traced-request.ts'
import { auditOutcome } from './access.ts'
import { type Call, callOf, idsOf } from './call.ts'
import { clientAddresses, type Network } from './headers/forwarded-for.ts'
import { isHealthCheck } from './pages/health.ts'
import { watchPassedOn } from './passed-on.ts'
import { problemResponse, toProblem } from './problem.ts'
import { withHost } from './request-url.ts'
import type { Served } from './server.ts'

export interface EdgeOptions {
  /** Proxies whose `X-Forwarded-For` names the client. */
  trustedProxies: readonly Network[]
  logger: Logger
  spans: RequestSpans
  metrics: ServiceMetrics
}

export interface Edge {
  /** Surrounds all hooks and handlers of the app. */
  surround(app: AnyElysia): void
  /** The call of a request that is under way in the app. */
  callOf(request: Request): Call
}

/**
 * The edge of the service: what happens around every request, whatever it asks for and however it ends. It gets a
 * correlation id and its place in a trace, is counted, and leaves one line in the log; its answer names both ids.
 *
 * `wrap` is the one hook of Elysia that surrounds the others, so that everything that they do is inside the span.
 * It is given the request alone, and so the hooks find their call by it.
 */
export function createEdge({ trustedProxies, logger, spans, metrics }: EdgeOptions): Edge {
  const clientAddressOf = clientAddresses(trustedProxies)
  const calls = new WeakMap<Request, Call>()

  function callOfKnown(request: Request): Call {
    const call = calls.get(request)
    if (!call) throw new Error('a request is answered that did not come in by the edge')
    return call
  }

  return {
    callOf: callOfKnown,
    surround(app) {
      const watch = watchPassedOn(app)
      app.wrap((next) => async (received: Request) => {
        const startedAt = performance.now()
        const { method, headers } = received
        const peer = app.server?.requestIP(received)?.address
        const clientAddress = clientAddressOf(peer, headers.get('x-forwarded-for'))
        metrics.requestBegan()
        const traceparent = headers.get('traceparent')
        const span = spans.begin({ method, traceparent, untraced: isHealthCheck(received) })
        const request = withHost(received)
        const call = callOf(request, clientAddress, span.trace)
        calls.set(request, call)
        // Until there is an answer, as the server would say on its own.
        let status = 500
        try {
          return await span.run(async () => {
            const response = await answerOf(next as unknown as Served['fetch'], request, call)
            if (mayHaveTrailers(request, response)) response.headers.set('connection', 'close')
            const answered = stamped(response, call)
            watch(received, answered)
            status = answered.status
            if (!call.isCounted) {
              logger.info('request.answered', {
                method,
                route: call.route,
                tenant: call.about.tenant,
                digest: call.about.digest,
                status,
                code: call.problem,
                clientAddress,
                durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
                ...idsOf(call),
              })
            }
            return answered
          })
        } finally {
          const { route, problem, url, about, correlationId } = call
          span.end({ route, status, problem, url, clientAddress, correlationId, about })
          const milliseconds = performance.now() - startedAt - call.stoodByMilliseconds
          metrics.requestAnswered({ method, route, status, seconds: milliseconds / 1000 })
        }
      })
    },
  }

  /**
   * The hooks of the app answer every error, so only a fault of theirs is thrown here, or that the outcome cannot be
   * recorded: it, too, gets a full answer.
   */
  async function answerOf(app: Served['fetch'], request: Request, call: Call): Promise<Response> {
    try {
      const answered = await app(request)
      auditOutcome(logger, call, answered.status)
      return answered
    } catch (cause) {
      const problem = toProblem(new Error('the app threw', { cause }))
      call.problem = problem.code
      logger.error('request.failed', { code: problem.code, cause, ...idsOf(call) })
      return problemResponse(problem, call.trace.traceId)
    }
  }
}

/**
 * Bun takes a body to be over at its last chunk. It reads trailers (RFC 9112 section 7.1.2) that come in a packet of
 * their own as the next request, whose answer would be a bare 400: so none follows on this connection. After a refusal
 * the client may still be sending, and would lose the answer if the connection were closed.
 */
function mayHaveTrailers({ headers }: Request, { status }: Response): boolean {
  return headers.has('transfer-encoding') && status < 400
}

/** Every answer names the request that it belongs to, and leaves its type not to the browser's guess. */
function stamped(response: Response, { correlationId, trace }: Call): Response {
  response.headers.set('x-correlation-id', correlationId)
  response.headers.set('traceparent', formatTraceparent(trace))
  response.headers.set('x-content-type-options', 'nosniff')
  return response
}
