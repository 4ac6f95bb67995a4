/** Told what is being done right now; may be called very often. */
export type OnProgress = (doing: string) => void

const movingLineMilliseconds = 200
const plainLineSeconds = 15

/**
 * Shows on standard error that something long is going on: a moving line on a terminal, elsewhere a line at
 * the start and every 15 seconds, with the seconds since the start.
 *
 * @param title what is going on, such as `building minio`.
 * @param started when it began, by `performance.now()`.
 * @returns `report` to pass on as {@link OnProgress}, and `finish`, which prints the last line.
 */
export function showProgress(
  title: string,
  started = performance.now(),
): { report: OnProgress; finish(outcome: string): void } {
  const out = process.stderr
  const moving = out.isTTY === true
  let doing = 'starting'
  const line = () => `${title}: ${seconds(started)} s, ${doing}`
  const show = () =>
    out.write(moving ? `\r\x1b[2K${line().slice(0, (out.columns || 80) - 1)}` : `${line()}\n`)
  show()
  const timer = setInterval(show, moving ? movingLineMilliseconds : plainLineSeconds * 1000)
  return {
    report: (now) => {
      doing = now
    },
    finish: (outcome) => {
      clearInterval(timer)
      out.write(`${moving ? '\r\x1b[2K' : ''}${title}: ${outcome} after ${seconds(started)} s\n`)
    },
  }
}

/**
 * Runs `work`, showing its progress as {@link showProgress} does, but only once it takes longer than a
 * second: what is cached stays silent.
 */
export async function withProgress<T>(title: string, work: (report: OnProgress) => Promise<T>): Promise<T> {
  const started = performance.now()
  let progress: ReturnType<typeof showProgress> | undefined
  let latest = 'starting'
  const timer = setTimeout(() => {
    progress = showProgress(title, started)
    progress.report(latest)
  }, 1000)
  const report: OnProgress = (doing) => {
    latest = doing
    progress?.report(doing)
  }
  try {
    const result = await work(report)
    progress?.finish('done')
    return result
  } catch (error) {
    progress?.finish('failed')
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function seconds(since: number): number {
  return Math.round((performance.now() - since) / 1000)
}
