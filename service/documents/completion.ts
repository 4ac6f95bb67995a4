import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import type { StoreCapabilities } from '../object-store/store-capabilities.ts'
import type { Semaphore } from '../semaphore.ts'
import type { Digest, VersionRef } from '../wire/names.ts'
import type { Acceptance } from './acceptance.ts'
import type { Deletions } from './deletions.ts'
import { DocumentError, type DocumentErrorCode } from './document-error.ts'
import { digestHex, versionKey } from './document-key.ts'
import { admit, digestMismatch } from './publish.ts'
import type { Completed } from './running-completions.ts'
import type { UploadClaims } from './upload-ticket.ts'
import { verified } from './verified-stream.ts'
import {
  openStaged,
  promoteByCopy,
  promoteByStream,
  type StagedBytes,
  type VersionFacts,
} from './version-writer.ts'

export interface CompletionParts {
  store: ObjectStore
  acceptance: Acceptance
  deletions: Deletions
  promotions: Semaphore
  /** What the probe has found out so far. */
  capabilities: () => StoreCapabilities
}

/**
 * Publishes what lies in staging for a ticket: verified first, then staging is emptied, then `latest`. Whatever
 * fails or is deleted from then on, a repetition finds nothing that could bring the version back; if it is there,
 * the repetition moves `latest`.
 *
 * @throws {DocumentError} `upload_not_found`, `digest_mismatch`, `upload_changed`, `busy`; `conflict` if the
 *   version was deleted meanwhile
 */
export async function completeStaged(
  parts: CompletionParts,
  claims: UploadClaims,
  traceId: string,
  signal: AbortSignal,
): Promise<Completed> {
  const { store, acceptance } = parts
  const { tenant, type, name, digest, stagingKey, size, contentType, subject: by } = claims
  const ref: VersionRef = { tenant, type, name, digest }
  const admittedAt = new Date(claims.admittedAtMs)
  const deletedBeside = parts.deletions.watch()

  const [staged, published] = await Promise.all([
    store.head(stagingKey, { checksum: true, signal }),
    store.head(versionKey(ref), { signal }),
  ])
  if (!staged && !published) throw uploadNotFound()
  const facts = { size, contentType, by, admittedAt, traceId }
  const created =
    staged !== null && (await publishOrJoin(parts, staged, ref, facts, published !== null, signal))
  if (staged) await store.delete(stagingKey, { signal })
  const document = await acceptance.accept(ref, { digest, size, contentType, by, admittedAt, created })
  if (deletedBeside()) await acceptance.refuseDeleted(ref, by)
  return { document, created }
}

/** What another replica has published meanwhile, and removed from staging, needs no publishing here. */
async function publishOrJoin(
  parts: CompletionParts,
  staged: ObjectInfo,
  ref: VersionRef,
  facts: VersionFacts,
  exists: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await publishStaged(parts, staged, ref, facts, exists, signal)
  } catch (error) {
    if (!(error instanceof DocumentError) || error.code !== 'upload_changed') throw error
    if (await parts.store.head(staged.key, { signal })) throw error
    if (!(await parts.store.head(versionKey(ref), { signal }))) throw uploadNotFound()
    return false
  }
}

async function publishStaged(
  { store, promotions, capabilities }: CompletionParts,
  staged: ObjectInfo,
  ref: VersionRef,
  facts: VersionFacts,
  exists: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const known = capabilities()
  const enforced = known.digestEnforced && staged.sha256 !== undefined
  const release = await admit(promotions, 1, signal)
  try {
    if (staged.size !== facts.size) throw wrongSize(facts.size, staged.size)
    if (enforced) refuseOther(ref.digest, `sha256:${staged.sha256}`)
    if (exists) {
      if (!enforced) await hashStaged(store, staged, ref, facts, signal)
      return false
    }
    if (enforced && known.copyPinHonoured) return await promoteByCopy(store, staged, ref, facts, signal)
    const mismatch = ({ digest }: { digest: Digest }) => digestMismatch(ref.digest, digest)
    return await promoteByStream(store, staged, ref, facts, mismatch, signal)
  } catch (error) {
    // Wrong bytes are of no use, and those of a version that was deleted must not bring it back.
    const useless = error instanceof DocumentError && uselessAfter.includes(error.code)
    // Should this fail, the lifecycle rule removes it.
    if (useless) await store.delete(staged.key, { signal }).catch(() => {})
    throw error
  } finally {
    release()
  }
}

const uselessAfter: readonly DocumentErrorCode[] = ['digest_mismatch', 'conflict']

/** Bytes that are published already are not written again, but a client is told if it sent others. */
async function hashStaged(
  store: ObjectStore,
  staged: StagedBytes,
  ref: VersionRef,
  { size }: VersionFacts,
  signal: AbortSignal,
): Promise<void> {
  const object = await openStaged(store, staged, signal)
  const mismatch = ({ digest }: { digest: Digest }) => digestMismatch(ref.digest, digest)
  const body = verified(object.body, { digest: ref.digest, size }, mismatch)
  for await (const _ of body) {
    // Only the verdict at the end counts.
  }
}

function refuseOther(declared: Digest, found: Digest): void {
  if (digestHex(declared) !== digestHex(found)) throw digestMismatch(declared, found)
}

function wrongSize(declared: number, found: number): DocumentError {
  return new DocumentError(
    'digest_mismatch',
    `${found} bytes were uploaded where the ticket was for ${declared}. Nothing was published.`,
    { declaredSize: declared, foundSize: found },
  )
}

function uploadNotFound(): DocumentError {
  return new DocumentError(
    'upload_not_found',
    'Nothing was uploaded with this ticket, or the store refused it. Upload the bytes and complete again.',
  )
}
