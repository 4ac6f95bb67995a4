import { readFileSync } from 'node:fs'
import { loki, prometheus, type Query, tempo } from '../../../observability/grafana/query.ts'
import { alertRules } from './alert-rules.ts'

const runbook = readFileSync(new URL('../../../docs/alerts.md', import.meta.url), 'utf8')

/**
 * Returns every query under "Look" in the runbook, with its alert.
 *
 * @param metricNames names that Prometheus knows. Those in the rules count as well, since some appear only with a failure.
 */
export function runbookQueries(metricNames: readonly string[]): { alert: string; query: Query }[] {
  const known = knownMetrics(metricNames)
  const sections = runbook.split(/^### /m).slice(1)
  return sections.flatMap((section) => {
    const alert = section.slice(0, section.indexOf('\n'))
    const look = /\*\*Look:\*\*([\s\S]*?)\n- \*\*Do:/.exec(section)?.[1] ?? ''
    const spans = [...look.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)
    return spans.flatMap((span) => {
      const query = queryOf(span, known)
      return query === null ? [] : [{ alert, query }]
    })
  })
}

/** Returns `null` for a command, or a word of a log line. */
function queryOf(span: string, known: ReadonlySet<string>): Query | null {
  if (span.startsWith('{')) {
    const isTraceQL = span.includes('resource.')
    return {
      refId: 'A',
      ...(isTraceQL ? { datasource: tempo, query: span } : { datasource: loki, expr: span }),
    }
  }
  const isPromQL = (span.match(/\w+/g) ?? []).some((word) => known.has(word))
  return isPromQL ? { refId: 'A', datasource: prometheus, instant: true, expr: span } : null
}

/** Returns names of metrics in the runbook that do not exist. */
export function unknownMetrics(metricNames: readonly string[]): string[] {
  const known = knownMetrics(metricNames)
  const families =
    /\b(?:documents|http_server|loki|object_store|otelcol|prometheus|telemetry|tempo|tempodb)_\w+/g
  return [...new Set(runbook.match(families) ?? [])].filter((name) => !known.has(name))
}

function knownMetrics(metricNames: readonly string[]): ReadonlySet<string> {
  const inRules = alertRules().flatMap(({ expr }) => expr.match(/\b[a-z]\w*_\w+|\bup\b/g) ?? [])
  return new Set([...metricNames, ...inRules, 'ALERTS'])
}
