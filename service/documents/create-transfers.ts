import { limits } from '../limits.ts'
import type { StoreCapabilities, TicketMethod } from '../object-store/store-capabilities.ts'
import type { TransferSigner } from '../object-store/transfer-signer.ts'
import type { DocumentRef } from '../wire/names.ts'
import { type CompletionParts, completeStaged } from './completion.ts'
import { DocumentError } from './document-error.ts'
import { digestHex, stagingKey, versionKey } from './document-key.ts'
import { tooLarge } from './incoming-body.ts'
import { newUploadId } from './publish.ts'
import { createRunningCompletions } from './running-completions.ts'
import type { Transfers, UploadRequest, UploadTicket } from './transfers.ts'
import { ticketInvalid, type UploadClaims, type UploadTickets } from './upload-ticket.ts'
import { versionNotFound } from './version-reader.ts'

export interface TransferParts extends CompletionParts {
  signer: TransferSigner
  tickets: UploadTickets
  documentBytesMax: number
  /** How long a completion keeps its client waiting. */
  completionWaitSecondsMax: number
  onUploadTicket?: OnUploadTicket | undefined
}

/** `none`: there is no method that is known to be safe. */
export type OnUploadTicket = (method: TicketMethod | 'none') => void

export function createTransfers(parts: TransferParts): Transfers {
  const { store, signer, tickets, acceptance, capabilities } = parts
  const completions = createRunningCompletions(parts.completionWaitSecondsMax)

  return {
    async createUpload(ref, request) {
      const { digest, size, contentType, by, admittedAt, signal } = request
      if (size > parts.documentBytesMax) throw tooLarge(parts.documentBytesMax)
      const deletedBeside = parts.deletions.watch()
      const published = await store.head(versionKey({ ...ref, digest }), { signal })
      if (published) {
        if (published.size !== size) throw otherSize(published.size)
        const upload = { digest, size, created: false, contentType, by, admittedAt }
        const document = await acceptance.accept(ref, upload)
        if (deletedBeside()) await acceptance.refuseDeleted(document, by)
        return { published: document }
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
      const version = versionKey(claims)
      return completions.join(id, version, (signal) => completeStaged(parts, claims, traceId, signal))
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

function otherSize(size: number): DocumentError {
  return new DocumentError(
    'digest_mismatch',
    `The bytes of this digest are ${size} bytes long. Check both.`,
    { size },
  )
}
