import { LRUCache } from 'lru-cache'
import type { ObjectInfo, ObjectStore } from '../object-store/object-store.ts'
import type { VersionRef } from '../wire/names.ts'
import { digestHex, versionKey } from './document-key.ts'

/** An object whose bytes are not those of its key; its metadata are those of the first writer, and stay. */
export type Damaged = Pick<ObjectInfo, 'etag' | 'contentType' | 'metadata'>

/** Receives every version whose damaged bytes an upload has replaced. */
export type OnRepaired = (ref: VersionRef) => void

/** What the right bytes of a version are. */
export interface RightBytes {
  /** How many they are. */
  size: number
  /** The bytes, where they are in memory. */
  bytes?: Uint8Array | undefined
}

/**
 * Versions whose stored bytes are damaged, as far as this replica has noticed: any upload that has the right bytes
 * replaces them (ARCHITECTURE.md, "How an upload runs").
 */
export interface StoredDamage {
  /** Notes that a read found other bytes than the digest names: the next upload of the version looks closely. */
  suspect(ref: VersionRef): void
  /**
   * Returns whether a stored version is damaged, by its size, by the checksum or the MD5 that the store reports, and by
   * reading it where only that can tell. Notes it if so.
   */
  found(ref: VersionRef, info: ObjectInfo, right: RightBytes): Promise<boolean>
  /** Returns the damaged object that an upload of this version is to replace, if one was noticed. */
  known(ref: VersionRef): Damaged | undefined
  /** Forgets the damage of a version that is gone: there is nothing to replace. */
  gone(ref: VersionRef): void
  /** Forgets the damage and reports the repair. */
  repaired(ref: VersionRef): void
}

/** Damaged versions that are remembered; forgetting one only delays its repair. */
const damagedMax = 1000

/** One per process. */
export function createStoredDamage(
  store: Pick<ObjectStore, 'get'>,
  onRepaired: OnRepaired = () => {},
): StoredDamage {
  /** `suspect` until its bytes were looked at again. */
  const noted = new LRUCache<string, Damaged | 'suspect'>({ max: damagedMax })

  async function isDamaged(ref: VersionRef, info: ObjectInfo, { size, bytes }: RightBytes): Promise<boolean> {
    if (info.size !== size) return true
    if (info.sha256 !== undefined && info.sha256 !== digestHex(ref.digest)) return true
    const suspected = noted.has(versionKey(ref))
    const unlike = bytes !== undefined && info.sha256 === undefined && !mayHold(info, bytes)
    return (suspected || unlike) && !(await hashesRight(ref, info.etag))
  }

  async function hashesRight(ref: VersionRef, ifMatch: string): Promise<boolean> {
    const object = await store.get(versionKey(ref), { ifMatch })
    // Gone since: the caller finds out.
    if (object === null) return true
    const hasher = new Bun.CryptoHasher('sha256')
    for await (const chunk of object.body) hasher.update(chunk)
    return hasher.digest('hex') === digestHex(ref.digest)
  }

  return {
    suspect: (ref) => void noted.set(versionKey(ref), 'suspect'),

    async found(ref, info, right) {
      const key = versionKey(ref)
      const damaged = await isDamaged(ref, info, right)
      if (damaged) noted.set(key, { etag: info.etag, contentType: info.contentType, metadata: info.metadata })
      else noted.delete(key)
      return damaged
    },

    known(ref) {
      const found = noted.get(versionKey(ref))
      return found === 'suspect' ? undefined : found
    },

    gone: (ref) => void noted.delete(versionKey(ref)),

    repaired(ref) {
      noted.delete(versionKey(ref))
      onRepaired(ref)
    },
  }
}

/** False if the ETag is an MD5 that is not the bytes'. It is none with encryption under a key of the caller's. */
function mayHold({ etag }: ObjectInfo, bytes: Uint8Array): boolean {
  return !/^[0-9a-f]{32}$/.test(etag) || new Bun.CryptoHasher('md5').update(bytes).digest('hex') === etag
}
