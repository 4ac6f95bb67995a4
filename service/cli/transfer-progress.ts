import { SingleBar } from 'cli-progress'
import type { TransferProgress, UploadPhase } from '../client/progress.ts'
import { formatBytes } from './output.ts'

/** A bar on standard error while bytes move, and a new one for each phase of an upload. */
export interface Progress {
  /** `undefined` where nobody would see it: standard error is no terminal. */
  onProgress: ((progress: TransferProgress & { phase?: UploadPhase }) => void) | undefined
  stop(): void
}

const doing: Record<UploadPhase, string> = { hash: 'hashing', send: 'sending', verify: 'verifying' }

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
