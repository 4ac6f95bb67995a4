import type { Document } from '../../wire/answers.ts'
import type { DocumentsCall } from '../calls/documents-call.ts'
import { startAction } from '../calls/traces.ts'
import { adviceFor, type Failure, failureOf, plain } from '../failures/failure.ts'
import { byteSize } from '../parts/byte-size.ts'
import type { Session } from '../session/session.ts'
import { contentTypeOf, isDocumentName } from './document-of-file.ts'
import { isOver, nextToStart, type Transfer, type TransferEvent, transferList } from './transfer-list.ts'
import type { DocumentAddress, FromWorker, ToWorker } from './worker-messages.ts'

/** What the transfers need of a `Worker`. */
export interface WorkerPort {
  postMessage(message: ToWorker): void
  onmessage: ((event: MessageEvent<FromWorker>) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
  terminate(): void
}

export interface TransferParts {
  session: Session
  origin: string
  call: DocumentsCall
  ticketBytesMin: number | undefined
  /** Larger files are not begun: they would be read for nothing. */
  documentBytesMax: number
  /** Made at the first transfer, so that its program is not part of the first load. */
  createWorker: () => WorkerPort
  save: (blob: Blob, name: string) => void
  /** Called with what an upload has published. */
  onPublished: (document: Document) => void
}

/** Uploads and downloads of this page, a few at once, the others waiting. */
export interface Transfers {
  list(): readonly Transfer[]
  subscribe(listener: () => void): () => void
  /** @param name of the document, where it is not the file's */
  upload(to: { tenant: string; type: string; name?: string | undefined }, files: readonly File[]): void
  download(document: DocumentAddress, digest: string, sizeBytes: number): void
  cancel(id: string): void
  /** @param name another one for the document, where the first was no name of one */
  retry(id: string, name?: string): void
  dismiss(id: string): void
  /** Dismisses what is over, all but failures. */
  clear(): void
  /** Cancels and forgets all transfers, and ends the worker with the tokens that it knows. */
  stop(): void
}

/** A browser holds a download in a Blob until it is verified; larger ones are fetched by the browser itself. */
export const verifiedDownloadBytesMax = 1024 ** 3

/** What a transfer is made of, as long as it can be repeated. */
type Source = { kind: 'upload'; file: File } | { kind: 'download'; digest: string }

/** Creates the queue of transfers. Its worker begins with the first of them. */
export function createTransfers(parts: TransferParts): Transfers {
  let list: readonly Transfer[] = []
  let worker: WorkerPort | null = null
  const sources = new Map<string, Source>()
  /** The id of the latest run of a transfer in the worker: after a retry, messages of the previous run may still arrive. */
  const runs = new Map<string, string>()
  const listeners = new Set<() => void>()

  function apply(event: TransferEvent): void {
    const before = list
    list = transferList(list, event)
    for (const { id } of before) {
      if (list.some((transfer) => transfer.id === id)) continue
      sources.delete(id)
      runs.delete(id)
    }
    for (const listener of listeners) listener()
    for (const transfer of nextToStart(list)) start(transfer)
  }

  function start(transfer: Transfer): void {
    const source = sources.get(transfer.id)
    if (!source) return
    const { id, document } = transfer
    list = transferList(list, { kind: 'started', id })
    const { traceId } = startAction()
    runs.set(id, traceId)
    const base = { id: traceId, document, origin: parts.origin, traceId }
    if (source.kind === 'upload') {
      const { file } = source
      const { ticketBytesMin } = parts
      send({ kind: 'upload', ...base, file, contentType: contentTypeOf(file), ticketBytesMin })
    } else if (transfer.sizeBytes > verifiedDownloadBytesMax) {
      void link(transfer, source.digest)
    } else send({ kind: 'download', ...base, digest: source.digest })
    for (const listener of listeners) listener()
  }

  async function link({ id, document: { tenant, type, name } }: Transfer, digest: string): Promise<void> {
    try {
      const { url } = await parts.call(tenant, (documents) =>
        documents.createDownload({ type, name, digest }),
      )
      apply({ kind: 'linked', id, link: { url, digest } })
    } catch (error) {
      apply({ kind: 'failed', id, failure: failureOf(error) })
    }
  }

  function send(message: ToWorker): void {
    if (worker === null) {
      worker = parts.createWorker()
      worker.onmessage = ({ data }) => take(data)
      worker.onerror = () => breakOff()
    }
    worker.postMessage(message)
  }

  /** The program of the worker could not be loaded, or crashed. */
  function breakOff(): void {
    worker?.terminate()
    worker = null
    const failure = plain(
      'worker_failed',
      'Transfers are not available',
      'Their worker could not be started.',
    )
    // In one event: otherwise waiting transfers would begin in between and continue unseen.
    apply({ kind: 'all-failed', failure: { ...failure, advice: 'Reload this page.' } })
  }

  function take(given: FromWorker): void {
    const id = [...runs].find(([, run]) => run === given.id)?.[0]
    if (id === undefined) return
    const message: FromWorker = { ...given, id }
    if (message.kind === 'token-wanted') {
      void giveToken(id, given.id, message.refused)
      return
    }
    const transfer = list.find((one) => one.id === id)
    if (!transfer || isOver(transfer.status)) return
    if (message.kind === 'downloaded') parts.save(message.blob, transfer.document.name)
    apply(message)
    if (message.kind === 'uploaded') parts.onPublished(message.document)
  }

  async function giveToken(id: string, run: string, refused: string | null): Promise<void> {
    const { session } = parts
    if (refused !== null) session.refuse(refused)
    const unsubscribe = session.subscribe(() => awaitSignIn(id))
    awaitSignIn(id)
    const token = await session.accessToken().catch(() => null)
    unsubscribe()
    apply({ kind: 'sign-in-over', id })
    worker?.postMessage({ kind: 'token', id: run, token })
  }

  function awaitSignIn(id: string): void {
    if (parts.session.state().status === 'ended') apply({ kind: 'sign-in-awaited', id })
  }

  function add(
    kind: Transfer['kind'],
    document: DocumentAddress,
    sizeBytes: number,
    source: Source,
  ): Transfer {
    const id = startAction().traceId
    sources.set(id, source)
    return {
      ...{ id, kind, document, sizeBytes, status: 'waiting', progress: null, failure: null, detour: null },
      ...{ published: null, created: false, link: null },
    }
  }

  return {
    list: () => list,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    upload({ tenant, type, name }, files) {
      const added = files.map((file): Transfer => {
        const document = { tenant, type, name: name ?? file.name }
        const transfer = add('upload', document, file.size, { kind: 'upload', file })
        const failure = refusal(document.name, file.size, parts.documentBytesMax)
        return failure ? { ...transfer, status: 'failed', failure } : transfer
      })
      apply({ kind: 'added', transfers: added })
    },
    download(document, digest, sizeBytes) {
      const transfer = add('download', document, sizeBytes, { kind: 'download', digest })
      apply({ kind: 'added', transfers: [transfer] })
    },
    cancel(id) {
      const transfer = list.find((one) => one.id === id)
      if (!transfer || isOver(transfer.status)) return
      const run = runs.get(id)
      if (run !== undefined) worker?.postMessage({ kind: 'cancel', id: run })
      apply({ kind: 'cancelled', id })
    },
    retry(id, name) {
      apply({ kind: 'queued', id, name })
    },
    dismiss: (id) => apply({ kind: 'dismissed', id }),
    clear: () => apply({ kind: 'cleared' }),
    stop() {
      worker?.terminate()
      worker = null
      apply({ kind: 'emptied' })
    },
  }
}

/** Returns why the service would refuse the file; `null` if nothing is known against it. */
function refusal(name: string, sizeBytes: number, bytesMax: number): Failure | null {
  if (!isDocumentName(name)) {
    const detail = `“${name}” cannot be the name of a document.`
    const form =
      'A name begins with a letter or digit, followed by these, dots, hyphens and underscores, at most 128 characters.'
    return { ...plain('name_invalid', 'This name cannot be used', detail), advice: form }
  }
  if (sizeBytes <= bytesMax) return null
  const detail = `It has ${byteSize(sizeBytes)}; documents may have ${byteSize(bytesMax)}.`
  const advice = adviceFor('document_too_large')
  return { ...plain('document_too_large', 'The file is too large', detail), advice }
}
