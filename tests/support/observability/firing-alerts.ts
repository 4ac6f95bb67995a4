import { until } from '../waiting.ts'
import { alertRules, scrapeJobs } from './alert-rules.ts'

export interface FiringAlert {
  labels: Record<string, string> & { alertname: string }
  annotations: { summary: string; description: string; runbook_url: string }
}

/** What Prometheus says of its alerts, and which of them a test has waited for. */
export interface AlertWatch {
  /** Those that fire now. */
  firing(): Promise<FiringAlert[]>
  /**
   * Waits until every one of these fires, and checks what it says.
   *
   * @throws {Error} after `secondsMax`, naming those that do not.
   */
  waitFor(names: readonly string[], secondsMax?: number): Promise<FiringAlert[]>
  /**
   * Waits until nothing fires but these: a scrape that came too late is over with the next one, all else is not.
   *
   * @throws {Error} after half a minute, with what the others say.
   */
  waitForSilence(but: readonly string[]): Promise<void>
  /** Waits until what every job looks at was read so many times. On a busy machine one may take longer than a scrape may. */
  waitForScrapes(times: number): Promise<void>
  /** Names of all alerts that were waited for. */
  seen(): string[]
}

export function watchAlerts(prometheusUrl: string): AlertWatch {
  const seen = new Set<string>()
  const known = new Set(alertRules().map(({ alert }) => alert))

  async function firing(): Promise<FiringAlert[]> {
    const response = await fetch(`${prometheusUrl}/api/v1/alerts`)
    const { data } = (await response.json()) as { data: { alerts: (FiringAlert & { state: string })[] } }
    return data.alerts.filter(({ state }) => state === 'firing')
  }

  /** Jobs whose target was read so many times, by its `up`. */
  async function jobsRead(times: number): Promise<string[]> {
    const query = new URLSearchParams({ query: `sum_over_time(up[10m]) >= ${times}` })
    const response = await fetch(`${prometheusUrl}/api/v1/query?${query}`)
    const { data } = (await response.json()) as { data: { result: { metric: { job: string } }[] } }
    return data.result.map(({ metric }) => metric.job)
  }

  return {
    firing,
    async waitForScrapes(times) {
      const jobs = scrapeJobs()
      const areRead = async () => {
        const read = await jobsRead(times)
        return jobs.every((job) => read.includes(job))
      }
      await until(() => areRead())
    },
    async waitFor(names, secondsMax = 60) {
      const deadline = performance.now() + secondsMax * 1000
      for (;;) {
        const alerts = (await firing()).filter(({ labels }) => names.includes(labels.alertname))
        const missing = names.filter((name) => !alerts.some(({ labels }) => labels.alertname === name))
        if (missing.length === 0) {
          for (const alert of alerts) checkText(alert)
          for (const name of names) if (known.has(name)) seen.add(name)
          return alerts
        }
        if (performance.now() > deadline) throw new Error(`does not fire: ${missing.join(', ')}`)
        await Bun.sleep(200)
      }
    },
    async waitForSilence(but) {
      const deadline = performance.now() + 30_000
      for (;;) {
        const others = (await firing()).filter(({ labels }) => !but.includes(labels.alertname))
        if (others.length === 0) return
        if (performance.now() > deadline) throw new Error(`fires: ${JSON.stringify(others)}`)
        await Bun.sleep(200)
      }
    },
    seen: () => [...seen].toSorted(),
  }
}

/** A template that names a label which is not there leaves a hole in the sentence. */
function checkText({ labels, annotations }: FiringAlert): void {
  const text = `${annotations.summary} ${annotations.description}`
  if (/<no value>|<error|\{\{|\bat {2}|: {2}| {2}|\bof :/.test(`${text} `)) {
    throw new Error(`${labels.alertname} says: ${text}`)
  }
}
