import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import type { StoreCapabilities } from '../object-store/store-capabilities.ts'
import { DocumentError, type DocumentErrorCode, digestMismatch } from './document-error.ts'
import { versionKey } from './document-key.ts'
import type { Accepted } from './documents.ts'
import type { AcceptUpload } from './latest-after-upload.ts'
import { type Promotion, promoteByCopy, promoteByStream, verifyStaged } from './staging.ts'
import type { UploadClaims } from './ticket-signer.ts'
import type { UploadBudget } from './upload-budget.ts'

export interface CompletionParts {
  store: ObjectStore
  budget: UploadBudget
  acceptUpload: AcceptUpload
  /** What the probe has found out so far. */
  capabilities: () => StoreCapabilities
}

/** What was uploaded with a ticket. */
interface TicketUpload extends Promotion {
  staged: ObjectInfo
  /** Whether the version was there before. */
  exists: boolean
}

/**
 * Publishes what lies in staging for a ticket: first it is verified, then staging is emptied, then `latest` moves.
 * After whatever fails or is deleted from then on, a repetition finds nothing that could bring the version back; if
 * the version is there, the repetition moves `latest`.
 *
 * @throws {DocumentError} `upload_not_found`, `digest_mismatch`, `upload_changed`, `busy`; `conflict` if the
 *   version was deleted at the same time
 */
export async function completeStaged(
  parts: CompletionParts,
  claims: UploadClaims,
  traceId: string,
  signal: AbortSignal,
): Promise<Accepted> {
  const { store, acceptUpload } = parts
  const { tenant, type, name, digest, stagingKey, size, contentType, subject: by } = claims
  const version = { tenant, type, name, digest }
  const facts = { size, contentType, by, admittedAt: new Date(claims.admittedAtMs), traceId, signal }
  const mismatch: Promotion['mismatch'] = (found) => digestMismatch(digest, found.digest)
  return acceptUpload(version, facts, async () => {
    const [staged, published] = await Promise.all([
      store.head(stagingKey, { checksum: true, signal }),
      store.head(versionKey(version), { signal }),
    ])
    if (!staged && !published) throw uploadNotFound()
    if (!staged) return { digest, size, created: false }
    const upload = { staged, version, facts, mismatch, exists: published !== null }
    const created = await publishOrJoin(parts, upload)
    await store.delete(stagingKey, { signal })
    return { digest, size, created }
  })
}

/** Publishes the upload, unless another replica has published it meanwhile and removed it from staging. */
async function publishOrJoin(parts: CompletionParts, upload: TicketUpload): Promise<boolean> {
  try {
    return await publishUpload(parts, upload)
  } catch (error) {
    if (!(error instanceof DocumentError) || error.code !== 'upload_changed') throw error
    const { signal } = upload.facts
    if (await parts.store.head(upload.staged.key, { signal })) throw error
    if (!(await parts.store.head(versionKey(upload.version), { signal }))) throw uploadNotFound()
    return false
  }
}

/** @returns whether the version is new. */
async function publishUpload(
  { store, budget, capabilities }: CompletionParts,
  upload: TicketUpload,
): Promise<boolean> {
  const { staged, version, facts } = upload
  const { digestEnforced, copyOnce } = capabilities()
  const enforced = digestEnforced && staged.sha256 !== undefined
  const release = await budget.promotion(facts.signal)
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
    return await (enforced && copyOnce ? promoteByCopy : promoteByStream)(store, upload)
  } catch (error) {
    // Wrong bytes are of no use, and the bytes of a version that was deleted must not bring it back.
    const useless = error instanceof DocumentError && uselessAfter.includes(error.code)
    // If this fails, the lifecycle rule removes them.
    if (useless) await store.delete(staged.key, { signal: facts.signal }).catch(() => {})
    throw error
  } finally {
    release()
  }
}

const uselessAfter: readonly DocumentErrorCode[] = ['digest_mismatch', 'conflict']

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
