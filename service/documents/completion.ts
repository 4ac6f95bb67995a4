import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import type { StoreCapabilities } from '../object-store/store-capabilities.ts'
import type { VersionRef } from '../wire/names.ts'
import { DocumentError, type DocumentErrorCode, digestMismatch } from './document-error.ts'
import { versionKey } from './document-key.ts'
import { deletionOf, tagsPointingTo } from './document-record.ts'
import type { Accepted } from './documents.ts'
import type { Lease, Leases } from './lease.ts'
import type { Records } from './record-store.ts'
import { type Promotion, promoteByCopy, promoteByStream, verifyStaged } from './staging.ts'
import type { Damaged } from './stored-damage.ts'
import { toStoredVersion } from './stored-version.ts'
import type { UploadClaims } from './ticket-signer.ts'
import type { AcceptUpload, Placed } from './upload-acceptance.ts'
import type { UploadBudget } from './upload-budget.ts'
import type { VersionRemoval } from './version-removal.ts'

export interface CompletionParts {
  store: ObjectStore
  records: Records
  leases: Leases
  removal: Pick<VersionRemoval, 'remove'>
  budget: UploadBudget
  acceptUpload: AcceptUpload
  /** What the probe has found out so far. */
  capabilities: () => StoreCapabilities
  /** Waits for so many milliseconds. */
  sleep: (milliseconds: number) => Promise<void>
}

/** One attempt to complete an upload. */
interface Attempt {
  claims: UploadClaims
  traceId: string
  /** Aborts after `limits.completionSecondsMax`; not when the client disconnects. */
  signal: AbortSignal
}

/** What was uploaded with a ticket. */
interface TicketUpload extends Promotion {
  staged: ObjectInfo
  /** Whether the version was there before. */
  exists: boolean
}

/** How often an attempt looks whether another one on another replica has ended. */
const pollMilliseconds = 1000

/**
 * Publishes what lies in staging for a ticket, once: under a lease, so that no other replica does the same work, and
 * noted in the record, so that it never counts twice, however often it is repeated.
 *
 * @throws {DocumentError} `upload_not_found`, `digest_mismatch`, `upload_changed`, `busy`; `conflict` if the
 *   version was deleted before or after it was acknowledged
 */
export async function completeStaged(parts: CompletionParts, attempt: Attempt): Promise<Accepted> {
  const { claims, signal } = attempt
  for (;;) {
    const record = await parts.records.read(claims)
    if (record.changes.includes(claims.id)) return completedBefore(parts, claims)
    const deletion = deletionOf(record, claims.digest)?.id ?? null
    const lease = await parts.leases.take(claims, deletion)
    if (lease === 'published') return completedBefore(parts, claims)
    if (lease === 'deleted') throw versionDeleted()
    if (lease !== null) {
      const completed = await completeUnder(lease, parts, { ...attempt, deletion })
      if (completed) return completed
    }
    await parts.sleep(pollMilliseconds)
    signal.throwIfAborted()
  }
}

/**
 * Completes an upload whose lease is held.
 *
 * @returns `null` if another attempt was faster: it says how that ended.
 */
async function completeUnder(
  lease: Lease,
  parts: CompletionParts,
  attempt: Attempt & { deletion: string | null },
): Promise<Accepted | null> {
  const { store, acceptUpload, removal } = parts
  const { claims, traceId, signal, deletion } = attempt
  const { tenant, type, name, digest, stagingKey, size, contentType, subject: by } = claims
  const version = { tenant, type, name, digest }
  const facts = { size, contentType, by, admittedAt: new Date(claims.admittedAtMs), traceId, signal }
  const since = parts.records.moment()
  let placed: Placed
  try {
    if (lease.deletion !== deletion) throw versionDeleted()
    placed = await place(parts, { version, facts, stagingKey })
  } catch (error) {
    // Another attempt that took the lease over may have emptied staging.
    if (!(await lease.isHeld().catch(() => true))) return null
    const code = error instanceof DocumentError ? error.code : null
    await (code === 'conflict' ? lease.finish('deleted') : lease.giveBack(code !== null))
    // If this fails, the lifecycle rule removes them.
    if (code && uselessAfter.includes(code)) await store.delete(stagingKey).catch(() => {})
    throw error
  }
  const accepted = await accept()
  if (accepted === null) {
    // The bytes may have been published in vain, after the version was acknowledged and deleted.
    await removal.remove(version, { by, onlyIfDeleted: true })
    return null
  }
  await lease.finish('published')
  await store.delete(stagingKey).catch(() => {})
  return accepted

  async function accept(): Promise<Accepted | null> {
    try {
      const stillHeld = () => lease.isHeld()
      return await acceptUpload(version, { facts, since, ticketId: claims.id, stillHeld }, placed)
    } catch (error) {
      await lease.giveBack(false)
      throw error
    }
  }
}

/** Wrong bytes are of no use, and the bytes of a version that was deleted must not bring it back. */
const uselessAfter: readonly DocumentErrorCode[] = ['digest_mismatch', 'conflict']

/** Brings the staged bytes to the key of their digest, if they are the agreed ones. */
async function place(
  parts: CompletionParts,
  { version, facts, stagingKey }: { version: VersionRef; facts: Promotion['facts']; stagingKey: string },
): Promise<Placed> {
  const { store } = parts
  const { size, signal } = facts
  const [staged, published] = await Promise.all([
    store.head(stagingKey, { checksum: true, signal }),
    store.head(versionKey(version), { signal }),
  ])
  const known = { digest: version.digest, size }
  if (!staged) {
    // A version of another size is not the one that the ticket is for, or is damaged: either way the bytes are needed.
    if (published?.size !== size) throw uploadNotFound()
    return { ...known, created: false }
  }
  const mismatch: Promotion['mismatch'] = (found) => digestMismatch(version.digest, found.digest)
  const upload = { staged, version, facts, mismatch, exists: published !== null }
  const again = (over?: Damaged) => promote(parts, { ...upload, exists: false }, over)
  return { ...known, created: await promote(parts, upload), again }
}

/** @returns whether the version is new, or has replaced the damaged one. */
async function promote(
  { store, budget, capabilities }: CompletionParts,
  upload: TicketUpload,
  over?: Damaged,
): Promise<boolean> {
  const { staged, version, facts } = upload
  const { digestEnforced, copyOnce } = capabilities()
  const enforced = digestEnforced && staged.sha256 !== undefined
  const release = await budget.promotion({ tenant: version.tenant, size: facts.size, signal: facts.signal })
  try {
    if (staged.size !== facts.size) throw wrongSize(facts.size, staged.size)
    if (enforced && version.digest !== `sha256:${staged.sha256}`) {
      throw digestMismatch(version.digest, `sha256:${staged.sha256}`)
    }
    if (upload.exists) {
      // Published bytes are not written again, but a client learns that it has sent others.
      if (!enforced) await verifyStaged(store, upload)
      return false
    }
    if (enforced && copyOnce && !over) return await promoteByCopy(store, upload)
    return await promoteByStream(store, upload, over)
  } finally {
    release()
  }
}

/** Answers a repetition: the upload was acknowledged before, and its version may have been deleted since. */
async function completedBefore({ store, records }: CompletionParts, claims: UploadClaims): Promise<Accepted> {
  const { tenant, type, name, digest, stagingKey } = claims
  // What the ticket has brought there since is of no use.
  await store.delete(stagingKey).catch(() => {})
  const version = { tenant, type, name, digest }
  const info = await store.head(versionKey(version))
  if (!info) throw versionDeleted()
  const tags = tagsPointingTo(await records.read(version), digest)
  return { document: { ...toStoredVersion(version, info), tags }, created: false }
}

function versionDeleted(): DocumentError {
  return new DocumentError(
    'conflict',
    'The version of this upload was deleted in the meantime. Send it again with a new ticket.',
  )
}

function wrongSize(declared: number, found: number): DocumentError {
  return new DocumentError(
    'digest_mismatch',
    `${found} bytes were uploaded, but the ticket was for ${declared}. Nothing was published.`,
    { declaredSize: declared, foundSize: found },
  )
}

function uploadNotFound(): DocumentError {
  return new DocumentError(
    'upload_not_found',
    'Nothing was uploaded with this ticket, or the store refused it. Upload the bytes and complete again.',
  )
}
