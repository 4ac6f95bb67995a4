import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AlertRule, prometheusFolder, type RuleFile } from './alert-rules.ts'

export interface PrometheusCopy {
  /** An empty folder. */
  folder: string
  /** The target of each job, as `host:port`; jobs that are not named have none. */
  targets: Readonly<Record<string, string>>
  minioMetricsToken: string
  /** Thresholds of time that tests cannot wait for: text in the expression of an alert, and its replacement. */
  shortened?: Readonly<Record<string, readonly [from: string, to: string]>> | undefined
}

/**
 * Makes a copy of `observability/prometheus` that scrapes every second, and in which no alert waits (`for`) before it
 * fires. Everything else is unchanged.
 *
 * @returns the path of its configuration.
 * @throws {Error} if an alert does not contain the text that is to be replaced.
 */
export function hastenedPrometheus({
  folder,
  targets,
  minioMetricsToken,
  shortened = {},
}: PrometheusCopy): string {
  cpSync(prometheusFolder, folder, { recursive: true })
  rmSync(join(folder, 'targets'), { recursive: true })
  mkdirSync(join(folder, 'targets'))
  for (const [job, target] of Object.entries(targets)) retarget(folder, job, target)
  mkdirSync(join(folder, 'secrets'))
  writeFileSync(join(folder, 'secrets/minio-metrics-token'), minioMetricsToken, { mode: 0o600 })
  const everySecond = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' }
  rewrite<{ global: object }>(join(folder, 'prometheus.yaml'), (config) => {
    Object.assign(config.global, everySecond)
  })
  for (const name of readdirSync(join(folder, 'rules'))) {
    rewrite<RuleFile>(join(folder, 'rules', name), ({ groups }) => {
      for (const rule of groups.flatMap(({ rules }) => rules)) hasten(rule, shortened[rule.alert])
    })
  }
  return join(folder, 'prometheus.yaml')
}

/** Gives a job of a running Prometheus another target; Prometheus watches these files. */
export function retarget(folder: string, job: string, target: string): void {
  const path = join(folder, 'targets', `${job}.yaml`)
  // Renamed, so that Prometheus never reads half a file.
  writeFileSync(`${path}.new`, Bun.YAML.stringify([{ targets: [target] }]))
  renameSync(`${path}.new`, path)
}

function hasten(rule: AlertRule, shorter: readonly [from: string, to: string] | undefined): void {
  delete rule.for
  if (shorter === undefined) return
  const [from, to] = shorter
  if (!rule.expr.includes(from)) throw new Error(`${rule.alert} does not say ${from}`)
  rule.expr = rule.expr.replaceAll(from, to)
}

function rewrite<T>(path: string, change: (content: T) => void): void {
  const content = Bun.YAML.parse(readFileSync(path, 'utf8')) as T
  change(content)
  writeFileSync(path, Bun.YAML.stringify(content))
}
