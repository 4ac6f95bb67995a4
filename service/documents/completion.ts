import { limits } from '../limits.ts'
import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import type { StoreCapabilities } from '../object-store/store-capabilities.ts'
import type { Semaphore } from '../semaphore.ts'
import type { Acceptance } from './acceptance.ts'
import { DocumentError } from './document-error.ts'
import { digestHex, versionKey } from './document-key.ts'
import type { Digest, VersionRef } from './document-ref.ts'
import type { Document } from './documents.ts'
import { admit, digestMismatch } from './publish.ts'
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
  promotions: Semaphore
  /** What the probe has found out so far. */
  capabilities: () => StoreCapabilities
}

/**
 * Publishes what lies in staging for a ticket: verified first, then `latest`, then staging is emptied, so that
 * a repetition finds nothing that could bring back what an administrator deleted since.
 *
 * @throws {DocumentError} `upload_not_found`, `digest_mismatch`, `upload_changed`, `busy`
 */
export async function completeStaged(
  parts: CompletionParts,
  claims: UploadClaims,
  traceId: string,
  signal: AbortSignal,
): Promise<{ document: Document; created: boolean }> {
  const { store } = parts
  const { tenant, type, name, digest, stagingKey, size, contentType, subject: by } = claims
  const ref: VersionRef = { tenant, type, name, digest }
  const admittedAt = new Date(claims.admittedAtMs)
  const accepted = { digest, size, contentType, by, admittedAt }

  const [staged, published] = await Promise.all([
    store.head(stagingKey, { checksum: true, signal }),
    store.head(versionKey(ref), { signal }),
  ])
  if (!staged) {
    if (!published) throw uploadNotFound()
    return { document: await parts.acceptance.accept(ref, { ...accepted, created: false }), created: false }
  }
  const facts = { size, contentType, by, admittedAt, traceId }
  const created = await publishStaged(parts, staged, ref, facts, published !== null, signal)
  const document = await parts.acceptance.accept(ref, { ...accepted, created })
  await store.delete(stagingKey, { signal })
  return { document, created }
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
    if (error instanceof DocumentError && error.code === 'digest_mismatch') {
      // Should this fail, the lifecycle rule removes it: it is in nobody's way.
      await store.delete(staged.key, { signal }).catch(() => {})
    }
    throw error
  } finally {
    release()
  }
}

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

/** Completions that are under way on this replica, so that repetitions join instead of doing it twice. */
export interface RunningCompletions {
  /** The result of `work`, or `null` if it takes longer than a client should be kept waiting. */
  join(id: string, work: () => Promise<Completed>): Promise<Completed | null>
}

export interface Completed {
  document: Document
  created: boolean
}

export function createRunningCompletions(): RunningCompletions {
  const running = new Map<string, Promise<Completed>>()

  function begin(id: string, work: () => Promise<Completed>): Promise<Completed> {
    if (running.size >= limits.completionsMax) {
      throw new DocumentError('busy', 'Too many completions are under way. Try again later.')
    }
    const result = work()
    running.set(id, result)
    const forget = () => {
      // Whoever was told to ask again still gets the result, for a while.
      const timer = setTimeout(() => running.delete(id), limits.completionKeptSeconds * 1000)
      timer.unref()
    }
    result.then(forget, forget)
    return result
  }

  return {
    async join(id, work) {
      const result = running.get(id) ?? begin(id, work)
      const waited = Bun.sleep(limits.completionWaitSecondsMax * 1000).then(() => null)
      const answer = await Promise.race([result.then((value) => ({ value })), waited]).catch((error) => {
        running.delete(id)
        throw error
      })
      if (answer === null) return null
      // Delivered: a further repetition looks at the store anew.
      running.delete(id)
      return answer.value
    },
  }
}
