import type { Document } from '../wire/answers.ts'
import { CompletionPendingError, DigestMismatchError, ProblemError, StoreError } from './errors.ts'
import { inPhase, type OnUploadProgress } from './progress.ts'
import type { DocumentName } from './references.ts'
import { isPassing, pause, pauseSeconds, repeated } from './retry.ts'
import { isStorePassing, type KnownBytes, sendToStore } from './store-upload.ts'
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
 * Codes with which the service names the streamed `PUT` instead (ARCHITECTURE.md, "Upload tickets"), or knows no tickets
 * at all.
 */
const unavailable: ReadonlySet<string> = new Set([
  'tickets_unavailable',
  'store_unknown',
  'route_not_found',
  'method_not_allowed',
])
/** Codes of a completion after which the bytes have to be uploaded anew. */
const uploadLost: ReadonlySet<string> = new Set(['upload_not_found', 'upload_changed', 'upload_expired'])
/** A refusal may be a ticket that is too old by the store's clock; a second one is meant. */
const refusalsMax = 2

/**
 * Uploads straight to the store: asks for a ticket, sends, has it verified and published. What fails in passing is
 * repeated, with the same ticket while it lives, and a bounded number of times.
 *
 * @returns `NoTicket` where there is no such way for these bytes, now or here; nothing was published
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
    const passing = failure instanceof StoreError && isStorePassing(failure)
    if (!passing) refusals++
    const stalled = failure instanceof StoreError && failure.reason === 'stalled'
    if (stalled || refusals >= refusalsMax || attempt >= limits.sendAttemptsMax) return noTicket(failure)
    if (!passing || !isAlive(given)) given = null
    await pause(pauseSeconds(attempt, failure, limits), upload.signal)
  }
}

type Offer = { given: GivenTicket } | { published: Document } | NoTicket

async function ticketFor({ send, limits }: TransferParts, upload: TicketUpload): Promise<Offer> {
  const { ref, bytes, contentType, signal } = upload
  const request = { digest: bytes.digest, size: bytes.size, contentType }
  try {
    const ask = () => askForTicket(send, ref, request, signal)
    const offer = await repeated(ask, limits, signal, (error) => isPassing(error) && !saysNoTickets(error))
    return 'published' in offer ? offer : { given: offer }
  } catch (error) {
    if (saysNoTickets(error)) return noTicket(error)
    throw error
  }
}

/** One attempt. What another one may mend is returned, everything else thrown. */
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

/** Asks until the bytes are verified and published; each question can be repeated safely. */
async function completed(
  { send, limits }: TransferParts,
  { ref, onProgress, signal, bytes: { digest, size } }: TicketUpload,
  { ticket, ids }: GivenTicket,
): Promise<Completed> {
  const tell = inPhase('verify', onProgress)
  const endMs = Date.now() + limits.completionSecondsMax * 1000
  tell?.({ bytes: 0, totalBytes: size })
  for (;;) {
    const answer = await repeated(() => askToComplete(send, ref, ticket, signal), limits, signal)
    if ('document' in answer) {
      if (answer.document.digest !== digest)
        throw new DigestMismatchError(digest, answer.document.digest, ids)
      tell?.({ bytes: size, totalBytes: size })
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

/** By this clock; where it is wrong, the ticket is replaced too early, or the store refuses it. */
function isAlive({ ticket }: GivenTicket): boolean {
  return Date.parse(ticket.expiresAt) > Date.now()
}
