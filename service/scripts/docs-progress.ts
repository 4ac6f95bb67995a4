import { SingleBar } from 'cli-progress'
import type { OnProgress } from '../client/progress.ts'
import { formatBytes } from './docs-output.ts'

/** A bar on standard error while bytes move. */
export interface Progress {
  /** `undefined` where nobody would see it: standard error is no terminal. */
  onProgress: OnProgress | undefined
  stop(): void
}

export function startProgress(label: string): Progress {
  if (!process.stderr.isTTY) return { onProgress: undefined, stop: () => undefined }
  let bar: SingleBar | null = null
  return {
    onProgress: ({ bytes, totalBytes }) => {
      bar ??= startBar(label, totalBytes)
      bar.update(bytes)
    },
    stop: () => bar?.stop(),
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
