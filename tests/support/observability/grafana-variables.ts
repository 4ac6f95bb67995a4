/** What a variable stands for: one value, or several that were chosen at once. */
export type Variables = Readonly<Record<string, string | readonly string[]>>

/**
 * Replaces `$name`, `${name}` and `${name:format}` by their values, as Grafana does. Several values become alternatives
 * of a regular expression, unless a format says otherwise.
 *
 * Source: https://grafana.com/docs/grafana/latest/visualizations/dashboards/variables/variable-syntax/
 *
 * @throws {Error} for an unknown variable, or a format that is not used here.
 */
export function expand(text: string, variables: Variables): string {
  return text.replace(/\$(\w+)|\$\{([^}:]+)(?::(\w+))?\}/g, (whole, plain, braced, format) => {
    const value = variables[plain ?? braced]
    if (value === undefined) throw new Error(`nothing is known as ${whole}`)
    return formatted(value, format)
  })
}

function formatted(value: string | readonly string[], format: string | undefined): string {
  if (format === 'percentencode') return encodeURIComponent(String(value))
  if (format !== undefined) throw new Error(`the format ${format} is not used here`)
  return typeof value === 'string' ? value : `(${value.map(escapedForPromQL).join('|')})`
}

/** Inside of a PromQL string the backslashes of a regular expression are doubled. */
function escapedForPromQL(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, '\\\\$&')
}

/** The time that a dashboard shows, in seconds since 1970. */
export interface TimeRange {
  from: number
  to: number
}

/** A graph of the width that panels have on a usual screen. */
const maxDataPoints = 800

/**
 * Grafana's own variables for a query to Prometheus.
 *
 * @param scrapeInterval in seconds, as the data source says.
 *
 * Source: https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/#use-__rate_interval
 */
export function builtIn({ from, to }: TimeRange, scrapeInterval: number): Variables {
  const interval = Math.max(Math.ceil((to - from) / maxDataPoints), scrapeInterval)
  return {
    __from: String(Math.floor(from * 1000)),
    __to: String(Math.floor(to * 1000)),
    __interval: `${interval}s`,
    __range: `${Math.ceil(to - from)}s`,
    __rate_interval: `${Math.max(interval + scrapeInterval, 4 * scrapeInterval)}s`,
  }
}
