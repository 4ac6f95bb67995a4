import type { Query } from '../../../observability/grafana/query.ts'
import type { Correlation, ProvisionedSource } from './grafana-provisioning.ts'
import { expand, type TimeRange } from './grafana-variables.ts'

/** A span as the links of a data source see it. */
export interface LinkedSpan {
  /** Hexadecimal. */
  traceId: string
  spanId: string
  name: string
  /** In seconds since 1970. */
  from: number
  to: number
  /** Of the span and of its resource. */
  attributes: Record<string, string>
}

/** What a click opens. */
export interface OpenedLink {
  query: Query
  range: TimeRange
}

/** Every trace that a line of Loki leads to, by its labels and structured metadata. */
export function tracesOfLine(source: ProvisionedSource, labels: Record<string, string>): Query[] {
  return (source.jsonData.derivedFields ?? []).flatMap((field) => {
    const key = Object.keys(labels).find((label) => new RegExp(field.matcherRegex).test(label))
    const value = key === undefined ? undefined : labels[key]
    if (value === undefined) return []
    const query = expand(field.url, { '__value.raw': value })
    return [{ refId: 'A', datasource: { type: 'tempo' as const, uid: field.datasourceUid }, query }]
  })
}

/** The log lines that a span leads to. */
export function logsOfSpan(source: ProvisionedSource, span: LinkedSpan): OpenedLink {
  const link = source.jsonData.tracesToLogsV2
  if (link === undefined) throw new Error(`${source.uid} leads to no logs`)
  const query = { refId: 'A', datasource: { type: 'loki' as const, uid: link.datasourceUid } }
  return {
    query: { ...query, expr: expand(link.query, variablesOf(link, span)) },
    range: rangeOf(link, span),
  }
}

/** The metrics that a span leads to. */
export function metricsOfSpan(source: ProvisionedSource, span: LinkedSpan): OpenedLink[] {
  const link = source.jsonData.tracesToMetrics
  if (link === undefined) throw new Error(`${source.uid} leads to no metrics`)
  const datasource = { type: 'prometheus' as const, uid: link.datasourceUid }
  return link.queries.map(({ query }) => ({
    query: { refId: 'A', datasource, expr: expand(query, variablesOf(link, span)) },
    range: rangeOf(link, span),
  }))
}

/**
 * What a link may speak of. `__tags` are those attributes that the span has, as a selector of labels.
 *
 * Source: https://grafana.com/docs/grafana/latest/datasources/tempo/configure-tempo-data-source/#custom-query-variables
 */
function variablesOf({ tags }: Correlation, span: LinkedSpan): Record<string, string> {
  const matchers = tags.flatMap(({ key, value = key }) => {
    const found = span.attributes[key]
    return found === undefined ? [] : [`${value}="${found}"`]
  })
  if (matchers.length === 0) throw new Error('without any of its tags, a span offers no link')
  return {
    __tags: matchers.join(', '),
    '__trace.traceId': span.traceId,
    '__span.spanId': span.spanId,
    '__span.name': span.name,
  }
}

function rangeOf({ spanStartTimeShift, spanEndTimeShift }: Correlation, { from, to }: LinkedSpan): TimeRange {
  return { from: from + secondsOf(spanStartTimeShift), to: to + secondsOf(spanEndTimeShift) }
}

/** A shift such as `-1m`. */
function secondsOf(shift: string): number {
  const [, amount, unit] = /^(-?\d+)(s|m|h)$/.exec(shift) ?? []
  if (amount === undefined) throw new Error(`${shift} is no shift of time`)
  return Number(amount) * (unit === 'h' ? 3600 : unit === 'm' ? 60 : 1)
}

/** A trace as `GET /api/v2/traces/<id>` of Tempo gives it. */
export interface TempoTrace {
  trace: {
    resourceSpans: {
      resource: { attributes: Attribute[] }
      scopeSpans: { spans: TempoSpan[] }[]
    }[]
  }
}

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: string }
}

interface TempoSpan {
  /** Base64. */
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes?: Attribute[]
}

/** Spans of a trace in the order in which they began. */
export function spansOf({ trace }: TempoTrace): LinkedSpan[] {
  const spans = trace.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) => scope.spans.map((span) => linkedSpan(span, resource.attributes))),
  )
  return spans.toSorted((one, other) => one.from - other.from)
}

function linkedSpan(span: TempoSpan, ofResource: Attribute[]): LinkedSpan {
  const attributes = [...ofResource, ...(span.attributes ?? [])]
  return {
    traceId: Buffer.from(span.traceId, 'base64').toString('hex'),
    spanId: Buffer.from(span.spanId, 'base64').toString('hex'),
    name: span.name,
    from: Number(span.startTimeUnixNano) / 1e9,
    to: Number(span.endTimeUnixNano) / 1e9,
    attributes: Object.fromEntries(
      attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? '']),
    ),
  }
}
