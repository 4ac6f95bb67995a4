import { limits } from '../limits.ts'
import { type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import type { StoreCapabilities } from '../object-store/store-capabilities.ts'
import type { TransferSigner } from '../object-store/transfer-signer.ts'
import type { Tag } from '../wire/answers.ts'
import { type DocumentRef, latestTag } from '../wire/names.ts'
import { createCursors } from './cursor.ts'
import { createDeletions } from './deletions.ts'
import { DocumentError, versionNotFound } from './document-error.ts'
import { versionKey } from './document-key.ts'
import { createListing } from './document-listing.ts'
import type { Documents, TagCondition } from './documents.ts'
import { createLatest } from './latest.ts'
import { createAcceptUpload } from './latest-after-upload.ts'
import { publish } from './publish.ts'
import { toStoredVersion, versionExists } from './stored-version.ts'
import { createTagStore, type FoundTag, type StoredTag } from './tag-store.ts'
import { createTicketSigner } from './ticket-signer.ts'
import { createTransfers, type OnUploadTicket, type Transfers } from './transfers.ts'
import { createUploadBudget } from './upload-budget.ts'
import { type OnIntegrityViolation, openVersion } from './version-reader.ts'
import { createVersionRemoval } from './version-removal.ts'

export interface DomainOptions {
  /** Already under S3_PREFIX_DOCS. */
  store: ObjectStore
  documentBytesMax: number
  /** How long an upload may send nothing; default: `limits.uploadIdleSecondsMax`. */
  uploadIdleSecondsMax?: number | undefined
  /** How long a completion keeps its client waiting; default: `limits.completionWaitSecondsMax`. */
  completionWaitSecondsMax?: number | undefined
  /** At least 32 bytes, the same on every replica. */
  cursorKey: Uint8Array
  onIntegrityViolation: OnIntegrityViolation
  /** Receives every ticket, and every refusal of one. */
  onUploadTicket?: OnUploadTicket | undefined
  /** What the probe has found out so far. */
  capabilities: () => StoreCapabilities
  /** Under S3_PREFIX_DOCS, like the store. */
  signer: TransferSigner
  /** At least 32 bytes, the same on every replica. */
  ticketKey: Uint8Array
}

export interface Domain {
  documents: Documents
  transfers: Transfers
}

/** Returns the domain on an object store. One per process: it holds the memory budget of all uploads. */
export function createDocuments(options: DomainOptions): Domain {
  const { store, documentBytesMax, onIntegrityViolation, capabilities } = options
  const budget = createUploadBudget()
  const { uploadIdleSecondsMax = limits.uploadIdleSecondsMax } = options
  const publishing = { store, budget, documentBytesMax, uploadIdleSecondsMax }
  const cursors = createCursors(options.cursorKey)
  const tags = createTagStore(store)
  const latest = createLatest(store, tags, () => capabilities().conditionalOverwrite !== 'no')
  const deletions = createDeletions()
  const acceptUpload = createAcceptUpload({ store, tags, latest, deletions })

  const documents: Documents = {
    ...createListing({ store, tags, cursors, capabilities }),

    put: (ref, upload) => acceptUpload(ref, upload, () => publish(publishing, ref, upload)),

    async head(ref, signal) {
      const info = await store.head(versionKey(ref), { signal })
      if (!info) throw versionNotFound()
      return toStoredVersion(ref, info)
    },

    open: (ref, open = {}) => openVersion(store, ref, open, onIntegrityViolation),

    deleteVersion: createVersionRemoval(store, { tags, latest, deletions }),

    async getTag(ref, tag, signal) {
      const stored = await tags.read(ref, tag, signal)
      if (!stored || !(await versionExists(store, ref, stored.digest))) throw versionNotFound()
      return toTag(ref, stored)
    },

    async putTag(ref, tag, { digest, by, ifMatch, signal }) {
      if (!(await versionExists(store, ref, digest))) throw versionUnknown()
      const current = await tags.find(ref, tag, signal)
      refuseUnlessMatching(current, ifMatch)
      if (ifMatch !== undefined) requireCompareAndSet(capabilities())
      const now = new Date().toISOString()
      const record = { digest, movedAt: now, movedBy: by, admittedAt: now }
      const over = ifMatch === undefined ? undefined : current
      const written = await tags.write(ref, tag, record, { over, signal })
      if (!written) throw tagMoved()
      return { tag: toTag(ref, written), created: current === null }
    },

    async deleteTag(ref, tag, { ifMatch, signal } = {}) {
      if (tag === latestTag) throw latestProtected()
      const current = await tags.find(ref, tag, signal)
      refuseUnlessMatching(current, ifMatch)
      if (!current) throw versionNotFound()
      // There is no conditional delete that all stores know: a move between the read and the delete is lost.
      await tags.remove(ref, tag, signal)
    },

    async ready(signal) {
      await store.clock({ signal })
    },
  }
  const tickets = createTicketSigner(options.ticketKey)
  const { signer, completionWaitSecondsMax = limits.completionWaitSecondsMax } = options
  const transfers = createTransfers({
    ...{ store, signer, tickets, budget, acceptUpload, capabilities },
    ...{ documentBytesMax, completionWaitSecondsMax, onUploadTicket: options.onUploadTicket },
  })
  return { documents: translatingErrors(documents), transfers: translatingErrors(transfers) }
}

function toTag(ref: DocumentRef, stored: StoredTag): Tag {
  const { tenant, type, name } = ref
  const { tag, digest, movedAt, movedBy, etag } = stored
  return { tenant, type, name, tag, digest, movedAt, movedBy, etag }
}

function refuseUnlessMatching(current: FoundTag | null, ifMatch: TagCondition | undefined): void {
  if (ifMatch === undefined) return
  const holds = current !== null && (ifMatch === '*' || ifMatch.includes(current.etag))
  if (!holds) throw tagMoved()
}

function requireCompareAndSet({ conditionalOverwrite }: StoreCapabilities): void {
  if (conditionalOverwrite === 'yes') return
  if (conditionalOverwrite === 'unknown') {
    throw new DocumentError(
      'store_unknown',
      'What the object store can do is still being found out. Try again.',
    )
  }
  throw new DocumentError(
    'compare_and_set_unavailable',
    'This object store cannot decide between two writers, so If-Match is not supported here. Leave it out.',
  )
}

function tagMoved(): DocumentError {
  return new DocumentError(
    'precondition_failed',
    'The tag has moved in the meantime. Read it again, then decide.',
  )
}

function versionUnknown(): DocumentError {
  return new DocumentError(
    'version_unknown',
    'The tag cannot point to this version: it does not exist. Upload it first.',
  )
}

function latestProtected(): DocumentError {
  return new DocumentError(
    'tag_protected',
    '"latest" follows the uploads and cannot be removed. Move it instead.',
  )
}

/** Translates failures of the store into errors of the domain; the store's own words are for the log only. */
function translatingErrors<Calls extends object>(calls: Calls): Calls {
  const translated = Object.entries(calls).map(([name, method]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await (method as (...args: unknown[]) => Promise<unknown>)(...args)
      } catch (cause) {
        throw cause instanceof ObjectStoreError ? ofStore(cause) : cause
      }
    },
  ])
  return Object.fromEntries(translated) as Calls
}

function ofStore(cause: ObjectStoreError): DocumentError {
  if (cause.code === 'unavailable') {
    return new DocumentError(
      'store_unavailable',
      'The object store does not answer. Try again later.',
      {},
      { cause, retryAfterSeconds: cause.retryAfterSeconds },
    )
  }
  if (cause.code === 'precondition_failed') {
    return new DocumentError('conflict', 'The object changed in the meantime. Try again.', {}, { cause })
  }
  return new DocumentError(
    'store_refused',
    'The object store refused the call. Tell the operator.',
    {},
    { cause },
  )
}
