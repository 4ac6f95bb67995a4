import { SingleBar } from 'cli-progress'
import type { TransferProgress, UploadPhase } from '../client/progress.ts'
import { formatBytes } from './output.ts'

/** Receives what is being done right now; may be called very often. */
export type OnProgress = (doing: string) => void

const movingLineMilliseconds = 200
const plainLineSeconds = 15

/**
 * Shows on standard error that something long is in progress: a moving line on a terminal, otherwise a line at the
 * start and every 15 seconds, with the seconds since the start.
 *
 * @param title what is in progress, such as `building minio`.
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

/** A bar on standard error while bytes move, and a new one for each phase of an upload. */
export interface Progress {
  /** `undefined` where no one would see it: standard error is not a terminal. */
  onProgress: ((progress: TransferProgress & { phase?: UploadPhase }) => void) | undefined
  stop(): void
}

const doing: Record<UploadPhase, string> = { hash: 'hashing', send: 'sending', verify: 'verifying' }

/** Starts to show the progress of a transfer. @param label what is transferred */
export function startProgress(label: string): Progress {
  if (!process.stderr.isTTY) return { onProgress: undefined, stop: () => undefined }
  let shown: { bar: SingleBar; phase: UploadPhase | undefined } | null = null
  return {
    onProgress: ({ bytes, totalBytes, phase }) => {
      if (shown === null || shown.phase !== phase) {
        shown?.bar.stop()
        shown = { bar: startBar(phase ? `${label} ${doing[phase]}` : label, totalBytes), phase }
      }
      shown.bar.update(bytes)
    },
    stop: () => shown?.bar.stop(),
  }
}

function startBar(label: string, totalBytes: number | null): SingleBar {
  const known = `${label} {bar} {percentage}% {value}/{total} {eta_formatted}`
  const bar = new SingleBar({
    format: totalBytes === null ? `${label} {value} {duration_formatted}` : known,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    // Standard output belongs to the result.
    stream: process.stderr,
    formatValue: (value, _options, kind) =>
      kind === 'value' || kind === 'total' ? formatBytes(value) : String(value),
  })
  bar.start(totalBytes ?? 0, 0)
  return bar
}
