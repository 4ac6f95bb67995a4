import { readFileSync } from 'node:fs'

export interface Correlation {
  datasourceUid: string
  spanStartTimeShift: string
  spanEndTimeShift: string
  /** Which attributes of a span are `__tags`, and by which name. */
  tags: { key: string; value?: string }[]
}

export interface ProvisionedSource {
  uid: string
  type: 'prometheus' | 'loki' | 'tempo'
  url: string
  jsonData: {
    timeInterval?: string
    derivedFields?: {
      matcherType: 'label'
      matcherRegex: string
      datasourceUid: string
      url: string
    }[]
    tracesToLogsV2?: Correlation & { customQuery: boolean; query: string }
    tracesToMetrics?: Correlation & { queries: { name: string; query: string }[] }
  }
}

const file = new URL(
  '../../../observability/grafana/provisioning/datasources/observability.yaml',
  import.meta.url,
)

/** The data sources as Grafana has them once it has put in the environment. */
export function provisionedSources(environment: Readonly<Record<string, string>>): ProvisionedSource[] {
  const { datasources } = withEnvironment(Bun.YAML.parse(readFileSync(file, 'utf8')), environment) as {
    datasources: ProvisionedSource[]
  }
  return datasources
}

/**
 * Puts the environment into every value; a dollar that is meant as one is written `$$`.
 *
 * Source: https://grafana.com/docs/grafana/latest/administration/provisioning/#use-environment-variables
 */
function withEnvironment(value: unknown, environment: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((each) => withEnvironment(each, environment))
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, inner]) => [name, withEnvironment(inner, environment)])
    return Object.fromEntries(entries)
  }
  if (typeof value !== 'string') return value
  return value.replace(/\$(\$|\{(\w+)\}|(\w+))/g, (whole, dollar, braced, plain) => {
    if (dollar === '$') return '$'
    const found = environment[braced ?? plain]
    if (found === undefined) throw new Error(`${whole} is not set`)
    return found
  })
}
