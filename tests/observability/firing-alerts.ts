import { alertRules } from './alert-rules.ts'

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

  return {
    firing,
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
