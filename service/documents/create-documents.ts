import { limits } from '../limits.ts'
import { type ObjectStore, ObjectStoreError } from '../object-store/object-store.ts'
import type { StoreCapabilities } from '../object-store/store-capabilities.ts'
import type { TransferSigner } from '../object-store/transfer-signer.ts'
import type { VersionRef } from '../wire/names.ts'
import { createArchives } from './archives/archive.ts'
import { type ArchiveLinks, createArchiveLinks } from './archives/archive-links.ts'
import { DocumentError, versionNotFound } from './document-error.ts'
import { versionKey } from './document-key.ts'
import type { Documents } from './documents.ts'
import { inParallel } from './in-order.ts'
import type { UploadPace } from './incoming-body.ts'
import { createUsage } from './inventory.ts'
import { createLeases } from './lease.ts'
import { createCursors, type Keys } from './listing/cursor.ts'
import { createListing } from './listing/document-listing.ts'
import { createNameListing } from './listing/name-listing.ts'
import { createTaggedListing } from './listing/tagged-listing.ts'
import { publish } from './publish.ts'
import { createRecords } from './record-store.ts'
import { createStoredDamage, type OnRepaired } from './stored-damage.ts'
import { toStoredVersion } from './stored-version.ts'
import { createTagMoves } from './tag-moves.ts'
import { createTagWatches } from './tag-watches.ts'
import { createTicketSigner } from './ticket-signer.ts'
import { createTransfers, type OnUploadTicket, type Transfers } from './transfers.ts'
import { createAcceptUpload, latestMeets, latestMoved } from './upload-acceptance.ts'
import { createUploadBudget } from './upload-budget.ts'
import { type OnIntegrityViolation, openVersion } from './version-reader.ts'
import { createVersionRemoval } from './version-removal.ts'

export interface DomainOptions {
  /** Already under S3_PREFIX_DOCS. */
  store: ObjectStore
  /** Asked for the health of the service, so that it does not wait for what tenants do; default: `store`. */
  health?: Pick<ObjectStore, 'clock'> | undefined
  documentBytesMax: number
  /** How slow an upload may be; what is left out is as `limits` say. */
  uploadPace?: Partial<UploadPace> | undefined
  /** How long a completion keeps its client waiting; default: `limits.completionWaitSecondsMax`. */
  completionWaitSecondsMax?: number | undefined
  /** Each at least 32 bytes; every replica knows the first one of all others. */
  cursorKeys: Keys
  onIntegrityViolation: OnIntegrityViolation
  /** `store`: versions that the store vouches for are not hashed again; default: all are. */
  readVerification?: ReadVerification | undefined
  /** Receives every version whose damaged bytes an upload has replaced. */
  onRepaired?: OnRepaired | undefined
  /** Receives how many objects a page of a listing has left out, because their keys are not those of versions. */
  onForeignObjects?: ((objects: number) => void) | undefined
  /** True if no other process writes to this store. */
  alone?: boolean | undefined
  /** Waits; default: by the system's timers. */
  sleep?: ((milliseconds: number) => Promise<void>) | undefined
  /** Receives every ticket, and every refusal of one. */
  onUploadTicket?: OnUploadTicket | undefined
  /** What the probe has found out so far. */
  capabilities: () => StoreCapabilities
  /** Under S3_PREFIX_DOCS, like the store. */
  signer: TransferSigner
  /** Each at least 32 bytes; every replica knows the first one of all others. */
  ticketKeys: Keys
  /** As those of tickets, and other ones. */
  archiveLinkKeys: Keys
}

export type ReadVerification = 'store' | 'always'

export interface Domain {
  documents: Documents
  transfers: Transfers
  archiveLinks: ArchiveLinks
  /** Ends all watches of tags, and lets none wait any more: the replica stops. */
  endWatches(): void
}

/** Returns the domain on an object store. One per process: it holds the memory budget of all uploads. */
export function createDocuments(options: DomainOptions): Domain {
  const { documentBytesMax, onIntegrityViolation, capabilities, sleep = Bun.sleep } = options
  const { readVerification = 'always' } = options
  const store = writingByCapabilities(options.store, capabilities)
  const { health = store } = options
  const budget = createUploadBudget()
  const cursors = createCursors(options.cursorKeys)
  const damage = createStoredDamage(store, options.onRepaired)
  const records = createRecords(store, { sleep, alone: options.alone })
  const removal = createVersionRemoval({ store, records, sleep })
  const acceptUpload = createAcceptUpload({ store, records, removal, damage })
  const publishing = { store, damage, budget, documentBytesMax, uploadPace: options.uploadPace }

  const watches = createTagWatches(records, { sleep })
  const tagMoves = createTagMoves({ store, records, removal, watches })
  const head: Documents['head'] = async (ref, signal) => {
    const info = await store.head(versionKey(ref), { signal })
    if (!info) throw versionNotFound()
    return toStoredVersion(ref, info)
  }

  const open: Documents['open'] = (ref, options = {}) =>
    openVersion(store, ref, options, {
      onIntegrityViolation(damaged, found) {
        damage.suspect(damaged)
        onIntegrityViolation(damaged, found)
      },
      storeVouches: () => readVerification === 'store' && capabilities().checksumKept,
    })

  /** Returns the size of each version in the store, in their order, and `null` for one that is absent. */
  async function sizesOf(refs: readonly VersionRef[], signal: AbortSignal | undefined) {
    const keys = refs.map(versionKey)
    const begunAt = performance.now()
    const found = await inParallel(new Set(keys), limits.callsPerRequestMax, async (key) => {
      if (performance.now() - begunAt >= limits.batchSecondsMax * 1000) throw tooSlow()
      const info = await store.head(key, { signal })
      return [key, info?.size ?? null] as const
    })
    const sizes = new Map(found)
    return keys.map((key) => sizes.get(key) ?? null)
  }

  const documents: Documents = {
    ...createListing({ store, records, cursors, capabilities, onForeignObjects: options.onForeignObjects }),
    ...createNameListing({ store, cursors, documents: { ...tagMoves, head } }),
    ...createUsage(store),
    ...createTaggedListing({ store, records, cursors, capabilities }),
    ...tagMoves,

    async put(ref, upload) {
      const { condition, signal } = upload
      if (condition && !latestMeets(await records.read(ref, signal), condition)) throw latestMoved()
      const since = records.moment()
      const accepted = await publish(publishing, ref, upload, (placed) =>
        acceptUpload(ref, { facts: upload, since, condition }, placed),
      )
      // Only a ticket can have been noted before.
      if (!accepted) throw new Error('an upload without a ticket was taken for a repetition')
      return accepted
    },

    async have(refs, signal) {
      const sizes = await sizesOf(refs, signal)
      return sizes.map((size) => size !== null)
    },

    head,

    open,

    archive: createArchives({ sizesOf, open }),

    deleteVersion: (ref, { by, signal }) => removal.remove(ref, { by, signal }),

    async ready(signal) {
      await health.clock({ signal })
    },
  }
  const tickets = createTicketSigner(options.ticketKeys)
  const leases = createLeases(store)
  const { signer, completionWaitSecondsMax = limits.completionWaitSecondsMax } = options
  const transfers = createTransfers({
    ...{ store, records, leases, removal, damage, signer, tickets, budget, acceptUpload, capabilities },
    ...{ documentBytesMax, completionWaitSecondsMax, sleep, onUploadTicket: options.onUploadTicket },
  })
  return {
    documents: translatingErrors(documents),
    transfers: translatingErrors(transfers),
    archiveLinks: translatingErrors(createArchiveLinks(store, options.archiveLinkKeys)),
    endWatches: watches.end,
  }
}

/**
 * Has streams keep their keys free where the store can do that, since a slow sender would otherwise lock a version, and
 * checksums kept where the store checks them.
 */
function writingByCapabilities(store: ObjectStore, capabilities: () => StoreCapabilities): ObjectStore {
  return {
    ...store,
    put(key, body, options) {
      const { condition } = options
      const { copyOnce, checksumKept } = capabilities()
      const keepsKeyFree = condition !== undefined && 'absent' in condition && copyOnce
      return store.put(key, body, { ...options, keepsKeyFree, keepsChecksum: checksumKept })
    },
  }
}

function tooSlow(): DocumentError {
  return new DocumentError('busy', 'The object store is slow. Ask about fewer versions at once, or later.')
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
  if (cause.code === 'busy') {
    return new DocumentError('busy', 'Too many transfers are under way. Try again later.', {}, { cause })
  }
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
