import type { DocumentsClient } from '../../client/client.ts'
import { documentsCall } from '../calls/documents-call.ts'
import { failureOf } from '../failures/failure.ts'
import type { FromWorker, PhaseProgress, StartDownload, StartUpload, ToWorker } from './worker-messages.ts'

/** One transfer that runs. */
interface Running {
  abort: AbortController
  /** Waits for the page's answer. */
  onToken: ((token: string | null) => void) | null
}

/** Runs the transfers that the page requests and reports on them. It has no queue: every request begins at once. */
export function runTransfers(post: (message: FromWorker) => void): { receive(message: ToWorker): void } {
  const running = new Map<string, Running>()

  async function run(start: StartUpload | StartDownload): Promise<void> {
    const { id } = start
    const transfer: Running = { abort: new AbortController(), onToken: null }
    running.set(id, transfer)
    const report = throttled((progress: PhaseProgress) => post({ kind: 'progress', id, progress }))
    try {
      post(await transferOf(start, transfer, report.tell))
    } catch (error) {
      const aborted = transfer.abort.signal.aborted
      post(aborted ? { kind: 'cancelled', id } : { kind: 'failed', id, failure: failureOf(error) })
    } finally {
      report.stop()
      running.delete(id)
    }
  }

  function transferOf(
    start: StartUpload | StartDownload,
    transfer: Running,
    tell: (progress: PhaseProgress) => void,
  ): Promise<FromWorker> {
    let refused: string | null = null
    const session = {
      accessToken: () => askForToken(start.id, transfer, refused),
      refuse(token: string) {
        refused = token
      },
    }
    const { traceId, document, origin } = start
    const ticketBytesMin = start.kind === 'upload' ? start.ticketBytesMin : undefined
    const { signal } = transfer.abort
    return documentsCall(origin, session, { traceId, ticketBytesMin })(document.tenant, (documents) =>
      start.kind === 'upload'
        ? upload(documents, start, signal, tell)
        : download(documents, start, signal, tell),
    )
  }

  function askForToken(id: string, transfer: Running, refused: string | null): Promise<string> {
    return new Promise((resolve, reject) => {
      const { signal } = transfer.abort
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      transfer.onToken = (token) =>
        token === null ? reject(new Error('You are signed out.')) : resolve(token)
      post({ kind: 'token-wanted', id, refused })
    })
  }

  return {
    receive(message) {
      if (message.kind === 'upload' || message.kind === 'download') void run(message)
      else if (message.kind === 'cancel') running.get(message.id)?.abort.abort()
      else running.get(message.id)?.onToken?.(message.token)
    },
  }
}

async function upload(
  documents: DocumentsClient,
  { id, document: { type, name }, file, contentType }: StartUpload,
  signal: AbortSignal,
  onProgress: (progress: PhaseProgress) => void,
): Promise<FromWorker> {
  const { document, created, fallbackReason } = await documents.put({ type, name }, file, {
    contentType,
    signal,
    onProgress,
  })
  return { kind: 'uploaded', id, document, created, detour: fallbackReason }
}

async function download(
  documents: DocumentsClient,
  { id, document: { type, name }, digest }: StartDownload,
  signal: AbortSignal,
  tell: (progress: PhaseProgress) => void,
): Promise<FromWorker> {
  const { stream, fallbackReason } = await documents.get(
    { type, name, digest },
    { direct: true, signal, onProgress: (progress) => tell({ phase: 'receive', ...progress }) },
  )
  return { kind: 'downloaded', id, blob: await collectBlob(stream), detour: fallbackReason }
}

/** Bytes collected in memory before they become a Blob, which a browser may keep on disk. */
const partBytesMax = 8 * 1024 * 1024

/**
 * Reads a stream into a Blob of a type that no browser opens.
 *
 * @throws what the stream errors with; none of its bytes are returned then
 */
async function collectBlob(stream: ReadableStream<Uint8Array>): Promise<Blob> {
  const reader = stream.getReader()
  const parts: Blob[] = []
  let chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    bytes += value.length
    if (bytes < partBytesMax) continue
    parts.push(new Blob(chunks as BlobPart[]))
    chunks = []
    bytes = 0
  }
  return new Blob([...parts, ...(chunks as BlobPart[])], { type: 'application/octet-stream' })
}

/** Ten times a second is as often as people can see. */
const intervalMs = 100

/**
 * Reports the latest progress at most every `intervalMs`. The beginning and the end of a phase are reported at once, so
 * that no progress bar stays at 97 %.
 */
function throttled(tell: (progress: PhaseProgress) => void): {
  tell: (progress: PhaseProgress) => void
  /** Stops reporting. */
  stop: () => void
} {
  let phase: string | null = null
  let latest: PhaseProgress | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    timer = undefined
    if (latest !== null) tell(latest)
    latest = null
  }
  return {
    tell(progress) {
      latest = progress
      const begins = progress.phase !== phase
      phase = progress.phase
      if (begins || progress.bytes === progress.totalBytes) {
        clearTimeout(timer)
        return flush()
      }
      timer ??= setTimeout(flush, intervalMs)
    },
    stop() {
      clearTimeout(timer)
      latest = null
    },
  }
}
