import type { Document } from '../wire/answers.ts'
import { CompletionPendingError, DigestMismatchError, ProblemError, StoreError } from './errors.ts'
import { inPhase, type OnUploadProgress } from './progress.ts'
import type { DocumentName } from './references.ts'
import { isTransient, pause, pauseSeconds, repeated } from './retry.ts'
import { isStoreTransient } from './store-call.ts'
import { type KnownBytes, sendToStore } from './store-upload.ts'
import { askForTicket, askToComplete, type Completed, type GivenTicket } from './ticket.ts'
import type { TransferLimits } from './transfer-limits.ts'
import type { Fetch, Send } from './transport.ts'

export interface TransferParts {
  send: Send
  fetch: Fetch | undefined
  limits: TransferLimits
}

export interface TicketUpload {
  ref: DocumentName
  bytes: KnownBytes
  contentType: string
  onProgress: OnUploadProgress | undefined
  signal: AbortSignal | undefined
}

/** Why an upload has to go through the service: the code of a problem, or of the store's failure. */
export interface NoTicket {
  reason: string
  error: ProblemError | StoreError
}

/**
 * Codes with which the service refers to the streamed `PUT` instead (ARCHITECTURE.md, "Upload tickets"), or knows no tickets
 * at all.
 */
const unavailable: ReadonlySet<string> = new Set([
  'tickets_unavailable',
  'store_unknown',
  'route_not_found',
  'method_not_allowed',
])
/** Codes of a completion after which the bytes have to be uploaded again. */
const uploadLost: ReadonlySet<string> = new Set(['upload_not_found', 'upload_changed', 'upload_expired'])
/** A refusal may mean a ticket that is too old by the store's clock; a second refusal is final. */
const refusalsMax = 2

/**
 * Uploads straight to the store: asks for a ticket, sends, and has the upload verified and published.
 * Transient failures are repeated a bounded number of times, with the same ticket while it lives.
 *
 * @returns `NoTicket` if these bytes cannot take this way now; nothing was published
 * @throws {ProblemError | ConnectionError | ProtocolError | DigestMismatchError | CompletionPendingError}
 */
export async function uploadByTicket(
  parts: TransferParts,
  upload: TicketUpload,
): Promise<Completed | NoTicket> {
  const { limits } = parts
  let given: GivenTicket | null = null
  let refusals = 0
  for (let attempt = 1; ; attempt++) {
    const offer: Offer = given ? { given } : await ticketFor(parts, upload)
    if ('published' in offer) return { document: offer.published, created: false }
    if ('reason' in offer) return offer
    given = offer.given
    const failure = await sentAndCompleted(parts, upload, given)
    if (!(failure instanceof Error)) return failure
    const transient = failure instanceof StoreError && isStoreTransient(failure)
    if (!transient) refusals++
    const stalled = failure instanceof StoreError && failure.reason === 'stalled'
    if (stalled || refusals >= refusalsMax || attempt >= limits.sendAttemptsMax) return noTicket(failure)
    if (!transient || !isAlive(given)) given = null
    await pause(pauseSeconds(attempt, failure, limits), upload.signal)
  }
}

type Offer = { given: GivenTicket } | { published: Document } | NoTicket

async function ticketFor({ send, limits }: TransferParts, upload: TicketUpload): Promise<Offer> {
  const { ref, bytes, contentType, signal } = upload
  const request = { digest: bytes.digest, size: bytes.size, contentType }
  try {
    const ask = () => askForTicket(send, ref, request, signal)
    const offer = await repeated(ask, limits, signal, (error) => isTransient(error) && !saysNoTickets(error))
    return 'published' in offer ? offer : { given: offer }
  } catch (error) {
    if (saysNoTickets(error)) return noTicket(error)
    throw error
  }
}

/** Makes one attempt. Returns failures that another attempt may repair, and throws all others. */
async function sentAndCompleted(
  parts: TransferParts,
  upload: TicketUpload,
  given: GivenTicket,
): Promise<Completed | StoreError | ProblemError> {
  const { onProgress, signal, bytes } = upload
  const { fetch, limits } = parts
  try {
    await sendToStore(given, bytes, { fetch, limits, onProgress: inPhase('send', onProgress), signal })
    return await completed(parts, upload, given)
  } catch (error) {
    if (error instanceof StoreError) return error
    if (error instanceof ProblemError && uploadLost.has(error.code)) return error
    throw error
  }
}

/** Asks until the bytes are verified and published; each call can be repeated safely. */
async function completed(
  { send, limits }: TransferParts,
  { ref, onProgress, signal, bytes: { digest, size } }: TicketUpload,
  { ticket, ids }: GivenTicket,
): Promise<Completed> {
  const report = inPhase('verify', onProgress)
  const endMs = Date.now() + limits.completionSecondsMax * 1000
  report?.({ bytes: 0, totalBytes: size })
  for (;;) {
    const answer = await repeated(() => askToComplete(send, ref, ticket, signal), limits, signal)
    if ('document' in answer) {
      if (answer.document.digest !== digest)
        throw new DigestMismatchError(digest, answer.document.digest, ids)
      report?.({ bytes: size, totalBytes: size })
      return answer
    }
    const seconds = Math.min(answer.waitSeconds, limits.retrySecondsMax)
    if (Date.now() + seconds * 1000 > endMs)
      throw new CompletionPendingError(limits.completionSecondsMax, ids)
    await pause(seconds, signal)
  }
}

function saysNoTickets(error: unknown): error is ProblemError {
  return error instanceof ProblemError && unavailable.has(error.code)
}

function noTicket(error: ProblemError | StoreError): NoTicket {
  return { reason: error instanceof ProblemError ? error.code : `store: ${error.reason}`, error }
}

/** Compares with the local clock; if it is wrong, the ticket is replaced too early, or the store refuses it. */
function isAlive({ ticket }: GivenTicket): boolean {
  return Date.parse(ticket.expiresAt) > Date.now()
}
