import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { suppressTracing } from '@opentelemetry/core'
import { callerContextFrom, type TraceContext, traceContextFrom } from './trace-context.ts'
import type { AnsweredRequest, IncomingRequest, RequestSpan, RequestSpans } from './traced-request.ts'

/**
 * Creates a SERVER span for every request, in the terms of
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span. The ids of the span are those
 * that the request's answer and log lines carry: this is the only place where they come from.
 *
 * The query is left out: it is not worth the risk of a secret in a trace. Text is redacted when spans end
 * (`span-redaction.ts`).
 *
 * @param tracer `null` if spans are not exported: the request still has its ids, which log records carry.
 */
export function createRequestSpans(tracer: Tracer | null): RequestSpans {
  return {
    begin(request) {
      return tracer === null || request.untraced ? unrecorded(request, tracer) : recorded(request, tracer)
    },
  }
}

function recorded({ method, traceparent }: IncomingRequest, tracer: Tracer): RequestSpan {
  const caller = callerContextFrom(traceparent)
  const span = tracer.startSpan(methodName(method), { kind: SpanKind.SERVER }, contextOf(caller))
  const { traceId, spanId, traceFlags } = span.spanContext()
  const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0
  const active = trace.setSpan(ROOT_CONTEXT, span)
  return {
    trace: { traceId, spanId, sampled, ...(caller && { parentSpanId: caller.spanId }) },
    run: (work) => context.with(active, work),
    end(answered) {
      if (span.isRecording()) describe(span, method, answered)
      span.end()
    },
  }
}

/** Spans below it are not recorded either, whatever the sampler decides for a trace without a parent. */
function unrecorded({ traceparent }: IncomingRequest, tracer: Tracer | null): RequestSpan {
  const ids = traceContextFrom(traceparent)
  const active = contextOf(ids)
  const untraced = tracer === null ? active : suppressTracing(active)
  return { trace: ids, run: (work) => context.with(untraced, work), end() {} }
}

/** Returns a context in which that span, which another process records, is the parent. */
function contextOf(ids: Pick<TraceContext, 'traceId' | 'spanId' | 'sampled'> | null): Context {
  if (!ids) return ROOT_CONTEXT
  const traceFlags = ids.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  const spanContext = { traceId: ids.traceId, spanId: ids.spanId, traceFlags, isRemote: true }
  return isSpanContextValid(spanContext) ? trace.setSpanContext(ROOT_CONTEXT, spanContext) : ROOT_CONTEXT
}

function describe(span: Span, method: string, answered: AnsweredRequest): void {
  const { route, status, problem } = answered
  if (route !== undefined) span.updateName(`${methodName(method)} ${route}`)
  span.setAttributes(attributesOf(method, answered))
  // In a SERVER span, a client's mistake is not an error.
  if (status < 500) return
  span.setAttribute('error.type', problem ?? String(status))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

function attributesOf(method: string, answered: AnsweredRequest): Attributes {
  const { url, about } = answered
  const known = methodName(method)
  return present({
    'http.request.method': known === 'HTTP' ? '_OTHER' : known,
    'http.request.method_original': known === 'HTTP' ? method : undefined,
    'http.route': answered.route,
    'http.response.status_code': answered.status,
    'url.scheme': url?.protocol.slice(0, -1),
    'url.path': url?.pathname,
    'server.address': url?.hostname,
    'server.port': url?.port ? Number(url.port) : undefined,
    'client.address': answered.clientAddress,
    'cloudlysis.correlation_id': answered.correlationId,
    'cloudlysis.problem': answered.problem,
    'cloudlysis.tenant': about.tenant,
    'cloudlysis.document.type': about.type,
    'cloudlysis.document.name': about.name,
    'cloudlysis.document.digest': about.digest,
    'cloudlysis.document.tag': about.tag,
  })
}

function present(attributes: Record<string, string | number | undefined>): Attributes {
  const found: Attributes = {}
  for (const name in attributes) if (attributes[name] !== undefined) found[name] = attributes[name]
  return found
}

const methods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
])

/** Returns the method for span names: `HTTP` for an unknown one. */
function methodName(method: string): string {
  return methods.has(method) ? method : 'HTTP'
}
