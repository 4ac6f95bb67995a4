import { limits } from '../limits.ts'
import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import { type Digest, type DocumentRef, latestTag, type VersionRef } from '../wire/names.ts'
import { compareAndSetUnavailable, contended, DocumentError } from './document-error.ts'
import { versionKey } from './document-key.ts'
import {
  type DocumentRecord,
  deletionOf,
  markOf,
  tagOf,
  tagsPointingTo,
  withUpload,
} from './document-record.ts'
import type { Accepted } from './documents.ts'
import type { Moment, Records } from './record-store.ts'
import type { Damaged, RightBytes, StoredDamage } from './stored-damage.ts'
import { toStoredVersion, type VersionFacts, versionMetadata } from './stored-version.ts'
import { meets, type TagCondition } from './tag-condition.ts'
import type { VersionRemoval } from './version-removal.ts'

/** The bytes of an upload under the key of their digest. */
export interface Placed extends RightBytes {
  digest: Digest
  /** False if the key was taken. */
  created: boolean
  /** What the key was seen to hold, intact, after the moment on which the acceptance rests. */
  seen?: ObjectInfo
  /**
   * Puts the bytes again, where they are at hand: after a deletion, or over damaged ones.
   *
   * @returns false if the key is taken, or the damaged object is no longer there.
   */
  again?: ((over?: Damaged) => Promise<boolean>) | undefined
}

/** What an upload says of its version. */
export type UploadFacts = Pick<VersionFacts, 'contentType' | 'by' | 'admittedAt' | 'traceId'>

/** What an upload rests on. */
export interface Acceptance {
  facts: UploadFacts
  /** A moment before the bytes were put, or seen in the store. */
  since: Moment
  /** What `latest` must be; its ETag is the digest of its version. */
  condition?: TagCondition | undefined
  /** Id of the ticket, if the upload came by one: it is noted, and noted once. */
  ticketId?: string
  /** Asked before each further try; false: another attempt at the same ticket is doing this. */
  stillHeld?: () => Promise<boolean>
}

/**
 * Acknowledges an upload: its version becomes the latest in the record of its document, which is what makes it count.
 * Whatever happens to the version meanwhile, on this replica or another, an acknowledged upload is there.
 *
 * @returns `null` if the ticket was noted before, or another attempt at it is under way.
 * @throws {DocumentError} `busy` if the version is being deleted, or is damaged in the store, and the bytes are not at
 *   hand; `precondition_failed` if `latest` does not meet the condition; what the store throws.
 */
export type AcceptUpload = (
  ref: DocumentRef,
  acceptance: Acceptance,
  placed: Placed,
) => Promise<Accepted | null>

export interface AcceptUploadParts {
  store: ObjectStore
  records: Records
  removal: Pick<VersionRemoval, 'awaitEnd' | 'remove'>
  damage: StoredDamage
}

/** Returns the function that follows every upload. */
export function createAcceptUpload({ store, records, removal, damage }: AcceptUploadParts): AcceptUpload {
  /** Writes the record, if what was put or seen at the given moment still counts. */
  function acknowledge(version: VersionRef, { facts, ticketId, condition }: Acceptance, since: Moment) {
    const { digest } = version
    return records.change<string[] | 'noted' | 'deleted' | 'deleting' | 'outdated'>(version, (state) => {
      const { record } = state
      if (!latestMeets(record, condition)) {
        if (deletionOf(record, digest)) return { result: 'deleted' }
        throw movedMeanwhile(digest)
      }
      if (ticketId !== undefined && record.changes.includes(ticketId)) return { result: 'noted' }
      if (markOf(record, digest)) return { result: 'deleting' }
      if (state.since > since) return { result: 'outdated' }
      const to = withUpload(record, { digest, by: facts.by, completed: ticketId })
      return { to, result: tagsPointingTo(to, digest) }
    })
  }

  /** Puts the bytes over damaged ones. */
  async function repair(version: VersionRef, { again }: Placed, found: ObjectInfo): Promise<void> {
    if (!again) throw damagedInStore()
    if (await again(found)) damage.repaired(version)
  }

  return async (ref, acceptance, placed) => {
    const { tenant, type, name } = ref
    const version = { tenant, type, name, digest: placed.digest }
    const { facts } = acceptance
    let { since } = acceptance
    let { created } = placed
    /** Whether it is known what the key holds: the caller's own bytes, or what `info` says. */
    let info: ObjectInfo | null = placed.seen ?? null
    let known = created || info !== null
    /** ETag of the damaged object that was to be replaced. */
    let repaired: string | null = null
    for (let attempt = 0; attempt < limits.recordAttemptsMax; attempt += 1) {
      if (!known) {
        since = records.moment()
        info = await store.head(versionKey(version), { checksum: true })
        if (info === null) {
          damage.gone(version)
          if (!placed.again) throw vanished()
          since = records.moment()
          created = known = await placed.again()
          continue
        }
        if (await damage.found(version, info, placed)) {
          // Refused, and still the same: the condition held.
          if (info.etag === repaired) throw compareAndSetUnavailable()
          await repair(version, placed, info)
          repaired = info.etag
          continue
        }
        created &&= Bun.deepEquals(info.metadata, versionMetadata(facts))
        known = true
      }
      const accepted = await acknowledge(version, acceptance, since)
      if (accepted === 'noted') return null
      if (accepted === 'deleted') {
        // An upload that is refused must not bring back what was deleted.
        await removal.remove(version, { by: facts.by, onlyIfDeleted: true })
        throw latestMoved()
      }
      if (typeof accepted !== 'string') {
        const stored = info ? toStoredVersion(version, info) : describe(version, facts, placed.size)
        return { document: { ...stored, tags: accepted }, created }
      }
      if (accepted === 'deleting') await removal.awaitEnd(version)
      if (acceptance.stillHeld && !(await acceptance.stillHeld())) return null
      // What was put or seen may be gone, or another writer's.
      known = false
    }
    throw contended()
  }
}

function describe(version: VersionRef, { contentType, by, admittedAt }: UploadFacts, size: number) {
  return { ...version, size, contentType, createdAt: admittedAt.toISOString(), createdBy: by }
}

/** Returns whether `latest` meets the condition of an upload: its ETag is the digest of its version. */
export function latestMeets(record: DocumentRecord, condition: TagCondition | undefined): boolean {
  return meets(tagOf(record, latestTag)?.digest, condition)
}

/** `precondition_failed`: `latest` does not meet the condition of an upload, of which nothing is stored. */
export function latestMoved(): DocumentError {
  return new DocumentError(
    'precondition_failed',
    '"latest" is not what If-Match or If-None-Match asks for. Nothing was stored.',
  )
}

function movedMeanwhile(digest: Digest): DocumentError {
  return new DocumentError(
    'precondition_failed',
    '"latest" has moved during the upload. The bytes are stored under "digest", and "latest" stays where it is.',
    { digest },
  )
}

function vanished(): DocumentError {
  return new DocumentError('busy', 'The version was deleted while it was being uploaded. Send it again.')
}

function damagedInStore(): DocumentError {
  return new DocumentError(
    'busy',
    'The stored bytes of this version are damaged. Send it again: the next upload replaces them.',
  )
}
