import { until } from '../waiting.ts'
import { alertRules, scrapeJobs } from './alert-rules.ts'

export interface FiringAlert {
  labels: Record<string, string> & { alertname: string }
  annotations: { summary: string; description: string; runbook_url: string }
}

/** The alerts of a Prometheus, and those that a test has waited for. */
export interface AlertWatch {
  /** Returns the alerts that fire now. */
  firing(): Promise<FiringAlert[]>
  /**
   * Waits until every one of these fires, and checks its text.
   *
   * @throws {Error} after some minutes, with the names of those that do not fire.
   */
  waitFor(names: readonly string[]): Promise<FiringAlert[]>
  /**
   * Waits until nothing fires except these: an alert about a late scrape ends with the next one.
   *
   * @throws {Error} after some minutes, with the other alerts.
   */
  waitForSilence(except: readonly string[]): Promise<void>
  /** Waits until every job has been scraped so many times. On a busy machine a scrape may exceed its time limit. */
  waitForScrapes(times: number): Promise<void>
  /** Returns the names of all alerts that were waited for. */
  seen(): string[]
}

/** Catches what hangs. The slowest alert is about the index, which Loki uploads once a minute. */
const secondsMax = 360

/** Returns a watch over the alerts of a Prometheus. @param prometheusUrl its origin. */
export function watchAlerts(prometheusUrl: string): AlertWatch {
  const seen = new Set<string>()
  const known = new Set(alertRules().map(({ alert }) => alert))

  async function firing(): Promise<FiringAlert[]> {
    const response = await fetch(`${prometheusUrl}/api/v1/alerts`)
    const { data } = (await response.json()) as { data: { alerts: (FiringAlert & { state: string })[] } }
    return data.alerts.filter(({ state }) => state === 'firing')
  }

  /** Returns the jobs whose target was scraped so many times, by its `up`. */
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
    async waitFor(names) {
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
    async waitForSilence(except) {
      const deadline = performance.now() + secondsMax * 1000
      for (;;) {
        const others = (await firing()).filter(({ labels }) => !except.includes(labels.alertname))
        if (others.length === 0) return
        if (performance.now() > deadline) throw new Error(`fires: ${JSON.stringify(others)}`)
        await Bun.sleep(200)
      }
    },
    seen: () => [...seen].toSorted(),
  }
}

/** A template with an absent label leaves a hole in the sentence. */
function checkText({ labels, annotations }: FiringAlert): void {
  const text = `${annotations.summary} ${annotations.description}`
  if (/<no value>|<error|\{\{|\bat {2}|: {2}| {2}|\bof :/.test(`${text} `)) {
    throw new Error(`${labels.alertname} says: ${text}`)
  }
}
