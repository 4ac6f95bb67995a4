/** W3C Trace Context level 1 (https://www.w3.org/TR/trace-context-1/), the `traceparent` header. */

export interface TraceContext {
  /** 32 lower-case hexadecimal digits, not all zero. */
  traceId: string
  /** Our own span: 16 lower-case hexadecimal digits, not all zero. */
  spanId: string
  /** The caller's span, where the caller sent a valid header. */
  parentSpanId?: string
  sampled: boolean
}

/** Section 3.2: version, trace-id, parent-id, trace-flags; later versions may append `-…`. */
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const sampledFlag = 0x01

/** The caller's place in a trace. */
export interface CallerContext {
  traceId: string
  spanId: string
  sampled: boolean
}

/** Reads the header; `null` if it is absent or breaks the grammar. */
export function callerContextFrom(traceparent: string | null): CallerContext | null {
  const [, version, traceId, spanId, flags, rest] = form.exec(traceparent ?? '') ?? []
  const invalid =
    version === undefined ||
    traceId === undefined ||
    spanId === undefined ||
    flags === undefined ||
    version === 'ff' ||
    (version === '00' && rest !== undefined) ||
    isZero(traceId) ||
    isZero(spanId)
  return invalid ? null : { traceId, spanId, sampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0 }
}

/**
 * Continues the caller's trace under a new span of ours. A header that is absent or breaks the grammar is
 * ignored and starts a new trace (section 4.3, "restart the trace").
 */
export function traceContextFrom(traceparent: string | null): TraceContext {
  const caller = callerContextFrom(traceparent)
  if (!caller) return newTraceContext()
  const { traceId, spanId: parentSpanId, sampled } = caller
  return { traceId, spanId: newSpanId(), parentSpanId, sampled }
}

/** Starts a new trace, not sampled because nothing has recorded it so far. */
export function newTraceContext(): TraceContext {
  return { traceId: randomHex(16), spanId: newSpanId(), sampled: false }
}

/** Generates 8 random bytes, hexadecimal. */
export function newSpanId(): string {
  return randomHex(8)
}

/** Writes the header to send or echo, in version 00: our span becomes the parent of the reader's span. */
export function formatTraceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

function randomHex(bytes: number): string {
  const hex = Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex')
  return isZero(hex) ? randomHex(bytes) : hex
}

function isZero(hex: string): boolean {
  return /^0+$/.test(hex)
}
