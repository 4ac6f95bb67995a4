import { describe, expect, it } from 'bun:test'
import {
  formatTraceparent,
  newSpanId,
  newTraceContext,
  traceContextFrom,
} from '../../../../service/telemetry/trace-context.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parent = '00f067aa0ba902b7'

/** True if the header was taken up, rather than replaced by a trace of our own. */
function isContinued(header: string): boolean {
  return traceContextFrom(header).traceId === traceId
}

describe('traceContextFrom', () => {
  it('continues the trace of the caller under a span of our own', () => {
    const context = traceContextFrom(`00-${traceId}-${parent}-01`)
    expect(context).toEqual({ traceId, parentSpanId: parent, spanId: context.spanId, sampled: true })
    expect(context.spanId).toMatch(/^[0-9a-f]{16}$/)
    expect(context.spanId).not.toBe(parent)
  })

  it('keeps the decision of the caller whether to sample, and no other flag', () => {
    expect(traceContextFrom(`00-${traceId}-${parent}-00`).sampled).toBeFalse()
    expect(traceContextFrom(`00-${traceId}-${parent}-ff`).sampled).toBeTrue()
    expect(traceContextFrom(`00-${traceId}-${parent}-fe`).sampled).toBeFalse()
  })

  it('begins a trace without a header', () => {
    const context = traceContextFrom(null)
    expect(context.traceId).toMatch(/^[0-9a-f]{32}$/)
    expect(context).not.toHaveProperty('parentSpanId')
  })

  it('reads a later version as far as version 00 goes, and refuses the version that cannot be', () => {
    expect(isContinued(`cc-${traceId}-${parent}-01`)).toBeTrue()
    expect(isContinued(`cc-${traceId}-${parent}-01-what-the-future-will-be`)).toBeTrue()
    expect(isContinued(`cc-${traceId}-${parent}-01.what`)).toBeFalse()
    expect(isContinued(`ff-${traceId}-${parent}-01`)).toBeFalse()
  })

  it('refuses more than version 00 has', () => {
    expect(isContinued(`00-${traceId}-${parent}-01`)).toBeTrue()
    expect(isContinued(`00-${traceId}-${parent}-01-`)).toBeFalse()
    expect(isContinued(`00-${traceId}-${parent}-01-more`)).toBeFalse()
  })

  it('refuses ids that are all zero, upper-case, or of another length', () => {
    expect(traceContextFrom(`00-${'0'.repeat(32)}-${parent}-01`).traceId).not.toBe('0'.repeat(32))
    expect(isContinued(`00-${traceId}-${'0'.repeat(16)}-01`)).toBeFalse()
    expect(traceContextFrom(`00-${traceId.toUpperCase()}-${parent}-01`).traceId).not.toBe(
      traceId.toUpperCase(),
    )
    expect(isContinued(`00-${traceId}0-${parent}-01`)).toBeFalse()
    expect(isContinued(`00-${traceId}-${parent.slice(1)}-01`)).toBeFalse()
  })

  it('refuses what is only around a good header', () => {
    expect(isContinued(` 00-${traceId}-${parent}-01`)).toBeFalse()
    expect(isContinued(`00-${traceId}-${parent}-01\n`)).toBeFalse()
    expect(isContinued(`00-${traceId}-${parent}-01,00-${traceId}-${parent}-01`)).toBeFalse()
    expect(isContinued('')).toBeFalse()
    expect(isContinued('x')).toBeFalse()
  })
})

describe('formatTraceparent', () => {
  it('writes version 00 with our span as the parent of the next', () => {
    const spanId = newSpanId()
    expect(formatTraceparent({ traceId, spanId, sampled: true })).toBe(`00-${traceId}-${spanId}-01`)
    expect(formatTraceparent({ traceId, spanId, sampled: false })).toBe(`00-${traceId}-${spanId}-00`)
  })

  it('is read back as the same trace', () => {
    const context = newTraceContext()
    const next = traceContextFrom(formatTraceparent(context))
    expect(next).toMatchObject({
      traceId: context.traceId,
      parentSpanId: context.spanId,
      sampled: context.sampled,
    })
  })
})
