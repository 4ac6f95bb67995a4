import { randomHex } from '../../client/transport.ts'

/** One action of a person, such as moving a tag, is one trace: all its calls carry the same trace id. */
export interface ActionTrace {
  /** 32 hexadecimal digits. */
  traceId: string
  /** A W3C `traceparent` with a new span for each call (https://www.w3.org/TR/trace-context/#traceparent-header). */
  traceparent: () => string
}

/** Starts the trace of an action. @param traceId of an action that continues elsewhere, such as in a worker */
export function startAction(traceId = randomHex(16)): ActionTrace {
  return { traceId, traceparent: () => `00-${traceId}-${randomHex(8)}-01` }
}

/**
 * Returns the address of a trace in the operator's trace viewer. It becomes a link, so the result is `null` unless the
 * template gives an https URL (or http on loopback).
 */
export function traceUrl(template: string | null, traceId: string): string | null {
  if (template === null || !/^[0-9a-f]{32}$/.test(traceId)) return null
  const address = template.replaceAll('{traceId}', traceId)
  if (!URL.canParse(address)) return null
  const { protocol, hostname } = new URL(address)
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  return protocol === 'https:' || (protocol === 'http:' && loopback) ? address : null
}
