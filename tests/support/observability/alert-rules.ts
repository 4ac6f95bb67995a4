import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const prometheusFolder = resolve(import.meta.dir, '../../../observability/prometheus')

export interface AlertRule {
  alert: string
  expr: string
  for?: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** A file of rules as Prometheus reads it. */
export interface RuleFile {
  groups: { name: string; rules: AlertRule[] }[]
}

/** A file of unit tests as `promtool test rules` reads it. */
export interface RuleTestFile {
  tests: { promql_expr_test: { expr: string; exp_samples: { labels: string }[] }[] }[]
}

/** Every alert of the kit, in the order of the files. */
export function alertRules(): AlertRule[] {
  return yamlFiles<RuleFile>('rules').flatMap(({ groups }) => groups.flatMap(({ rules }) => rules))
}

/** Names of all jobs that Prometheus scrapes. */
export function scrapeJobs(): string[] {
  const text = readFileSync(join(prometheusFolder, 'prometheus.yaml'), 'utf8')
  const { scrape_configs } = Bun.YAML.parse(text) as { scrape_configs: { job_name: string }[] }
  return scrape_configs.map(({ job_name }) => job_name)
}

/** All YAML files of a folder below `observability/prometheus`, parsed. */
export function yamlFiles<T>(folder: string): T[] {
  const path = join(prometheusFolder, folder)
  const names = readdirSync(path).filter((name) => name.endsWith('.yaml'))
  return names.toSorted().map((name) => Bun.YAML.parse(readFileSync(join(path, name), 'utf8')) as T)
}
