import { limits } from '../limits.ts'
import type { StoreCapabilities, TicketMethod } from '../object-store/store-capabilities.ts'
import type { TransferSigner } from '../object-store/transfer-signer.ts'
import type { Document, UploadTicket } from '../wire/answers.ts'
import type { Digest, DocumentRef, VersionRef } from '../wire/names.ts'
import { type CompletionParts, completeStaged } from './completion.ts'
import { DocumentError, tooLarge, versionNotFound } from './document-error.ts'
import { digestHex, stagingKey, versionKey } from './document-key.ts'
import type { Accepted } from './documents.ts'
import { createRunningCompletions } from './running-completions.ts'
import { newUploadId } from './staging.ts'
import type { StoredDamage } from './stored-damage.ts'
import { type TicketSigner, ticketInvalid, type UploadClaims } from './ticket-signer.ts'

/**
 * Transfers directly between the client and the store (ARCHITECTURE.md, "Upload tickets"): uploads by ticket into
 * `staging/`, which `complete` publishes after it has verified them, and signed downloads. Authorisation has been
 * decided before; every failure is a `DocumentError`.
 */
export interface Transfers {
  /**
   * Returns a ticket to upload exactly these bytes, or the document if they are published already: then there is
   * nothing to upload.
   *
   * @throws {DocumentError} `document_too_large`; `tickets_unavailable` if no kind of ticket is safe on this store,
   *   `store_unknown` until that has been found out: upload through the service then.
   */
  createUpload(
    ref: DocumentRef,
    request: UploadRequest,
  ): Promise<{ published: Document } | { ticket: UploadTicket }>

  /**
   * Verifies and publishes what was uploaded with a ticket. It can be repeated and raced: the bytes are published
   * once, and never after they were deleted.
   *
   * @returns `null` while the work is still under way: ask again.
   * @throws {DocumentError} `ticket_invalid`, `upload_expired`, `upload_not_found`, `upload_changed`,
   *   `digest_mismatch`, `busy`; `conflict` if the version was deleted meanwhile
   */
  completeUpload(
    ref: DocumentRef,
    id: string,
    completion: { ticket: string; by: string; traceId: string },
  ): Promise<Accepted | null>

  /** Returns a URL that serves the bytes as an attachment. @throws {DocumentError} `document_not_found` */
  createDownload(
    ref: VersionRef,
    options: { expiresInSeconds?: number | undefined; signal?: AbortSignal },
  ): Promise<SignedUrl>
}

export interface UploadRequest {
  digest: Digest
  size: number
  contentType: string
  by: string
  admittedAt: Date
  traceId: string
  signal?: AbortSignal
}

export interface SignedUrl {
  /** Names the URL in the audit log. */
  id: string
  url: string
  expiresAt: string
}

export interface TransferParts extends CompletionParts {
  signer: TransferSigner
  tickets: TicketSigner
  damage: StoredDamage
  documentBytesMax: number
  /** How long a completion keeps its client waiting. */
  completionWaitSecondsMax: number
  onUploadTicket?: OnUploadTicket | undefined
}

/** Receives the method of every ticket; `none` if no method is known to be safe. */
export type OnUploadTicket = (method: TicketMethod | 'none') => void

/** Returns the transfers on a store. One per process: repeated completions join the running one. */
export function createTransfers(parts: TransferParts): Transfers {
  const { store, records, signer, tickets, damage, acceptUpload, capabilities } = parts
  const completions = createRunningCompletions(parts.completionWaitSecondsMax)

  return {
    async createUpload(ref, request) {
      const { digest, size, signal } = request
      if (size > parts.documentBytesMax) throw tooLarge(parts.documentBytesMax)
      const version = { ...ref, digest }
      const since = records.moment()
      const published = await store.head(versionKey(version), { signal })
      // A version of another size is damaged, or the client is wrong: the completion of the ticket finds out.
      const isIntact = published?.size === size && !(await damage.found(version, published, { size }))
      if (isIntact) {
        const placed = { digest, size, created: false, seen: published }
        const accepted = await acceptUpload(version, { facts: request, since }, placed)
        if (accepted) return { published: accepted.document }
      }
      const { ticketMethod } = capabilities()
      parts.onUploadTicket?.(ticketMethod === 'unknown' ? 'none' : ticketMethod)
      const method = requireMethod(ticketMethod)
      return { ticket: await issue(ref, request, method) }
    },

    async completeUpload(ref, id, { ticket, by, traceId }) {
      const claims = await tickets.open(ticket)
      const { tenant, type, name } = claims
      const same = tenant === ref.tenant && type === ref.type && name === ref.name && claims.id === id
      if (!same || claims.subject !== by) throw ticketInvalid()
      return completions.join(id, (signal) => completeStaged(parts, { claims, traceId, signal }))
    },

    async createDownload(ref, { expiresInSeconds = limits.downloadSecondsDefault, signal }) {
      if (!(await store.head(versionKey(ref), { signal }))) throw versionNotFound()
      const expiresAt = new Date(Date.now() + expiresInSeconds * 1000).toISOString()
      const url = await signer.get({
        key: versionKey(ref),
        contentDisposition: `attachment; filename="${ref.name}"`,
        expiresInSeconds,
      })
      return { id: newUploadId(), url, expiresAt }
    },
  }

  async function issue(
    ref: DocumentRef,
    request: UploadRequest,
    method: 'POST' | 'PUT',
  ): Promise<UploadTicket> {
    const { tenant, type, name } = ref
    const { digest, size, contentType, by: subject, admittedAt } = request
    const id = newUploadId()
    const key = stagingKey(tenant, id)
    const completeBefore = new Date(admittedAt.getTime() + limits.completeBeforeSeconds * 1000)
    const admittedAtMs = admittedAt.getTime()
    const claims: UploadClaims = {
      ...{ id, tenant, type, name, digest, size, contentType },
      ...{ stagingKey: key, subject, admittedAtMs },
    }
    const expiresInSeconds = limits.uploadUrlSeconds
    const upload = { key, size, contentType, sha256: digestHex(digest), expiresInSeconds }
    const common = {
      id,
      ticket: await tickets.seal(claims, completeBefore),
      expiresAt: new Date(Date.now() + expiresInSeconds * 1000).toISOString(),
      completeBefore: completeBefore.toISOString(),
    }
    return method === 'POST'
      ? { ...common, method, ...(await signer.postForm(upload)) }
      : { ...common, method, ...(await signer.put(upload)) }
  }
}

function requireMethod(ticketMethod: StoreCapabilities['ticketMethod']): TicketMethod {
  if (ticketMethod === 'unknown') {
    throw new DocumentError(
      'store_unknown',
      'What the object store can do is still being found out. Try again, or upload through the service with PUT.',
    )
  }
  if (ticketMethod === 'none') {
    throw new DocumentError(
      'tickets_unavailable',
      'This object store takes no direct uploads safely. Upload through the service with PUT.',
    )
  }
  return ticketMethod
}
