import {
  isTransient,
  type ListedObject,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
} from '../../object-store/object-store.ts'
import type { Digest, VersionRef } from '../../wire/names.ts'
import { digestHex, versionKey } from '../document-key.ts'
import type { Records } from '../record-store.ts'
import { checked, type Identity } from '../verified-stream.ts'
import type { VersionRemoval } from '../version-removal.ts'
import type { Outcome } from './copy-record.ts'
import type { RateLimit } from './rate-limit.ts'
import { SideError } from './store-side.ts'

/** What to copy between. Failures of the two stores name their side (`store-side.ts`). */
export interface CopyContext {
  source: ObjectStore
  target: ObjectStore
  /** Of these two stores. */
  records: { source: Records; target: Records }
  /** Of the target. */
  removal: VersionRemoval
  /** Removes from the target what the source has deleted; otherwise that is only reported. */
  removeDeleted: boolean
  /** Writes nothing, and reads no bytes. */
  dryRun: boolean
  rateLimit: RateLimit
  /** Receives the number of bytes of each chunk. */
  onBytes?: ((bytes: number) => void) | undefined
  /** Receives each outcome of a unit of work as soon as it is known. */
  onOutcome?: ((outcome: Outcome) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * - `copied`: verified on its way and stored; in a dry run: would be.
 * - `present`: there already, of the same size, with the same content type and metadata.
 * - `kept`: there already, with other metadata: the first writer wins in each store.
 * - `gone`: deleted from the source since it was listed.
 * - `deleted`: the target has deleted it since: it is not copied.
 * - `left`: deleted from the source, and still in the target; `removed`: no longer in the target either.
 *
 * The others are failures, and nothing was written:
 * - `differs`: there already, with another size: one of the two is damaged.
 * - `damaged`: the source's bytes do not hash to their digest.
 * - `unreadable`, `unwritable`: the source repeatedly refuses to serve it, or the target to store it, while both
 *   answer other calls.
 * - `busy`: the target is deleting it, or cannot say whether it has.
 * - `tagged`, `locked`: deleted from the source, and cannot be removed from the target.
 */
export type VersionResult =
  | 'copied'
  | 'present'
  | 'kept'
  | 'gone'
  | 'deleted'
  | 'left'
  | 'removed'
  | 'differs'
  | 'damaged'
  | 'unreadable'
  | 'unwritable'
  | 'busy'
  | 'tagged'
  | 'locked'

export interface VersionOutcome {
  of: 'version'
  ref: VersionRef
  result: VersionResult
  /** Bytes of the source's object, as it was listed. */
  size: number
  /** What `damaged` bytes hash to. */
  found?: Digest
  /** Tags of the target that keep it, of `tagged`. */
  tags?: string[]
}

/** A copy that fails this often while both stores answer other calls is a fault of the object. */
const attemptsMax = 3

/**
 * Copies the bytes of a version with their metadata, if they hash to its digest and the target has none.
 *
 * @param there what the target has under the key, as it was listed.
 * @throws {SideError} if a store is out of reach or refuses all of this.
 */
export async function copyVersion(
  context: CopyContext,
  ref: VersionRef,
  { size }: Pick<ListedObject, 'size'>,
  there: Pick<ListedObject, 'size'> | null,
): Promise<VersionOutcome> {
  const { signal } = context
  const outcome = { of: 'version', ref, size } as const
  if (there) return { ...outcome, result: await compareWithTarget(context, ref, size, there.size) }
  if (context.dryRun) return { ...outcome, result: 'copied' }
  let condition: PutOptions['condition'] = { absent: true }
  for (let attempt = 1; ; attempt += 1) {
    try {
      const result = await transfer(context, ref, condition)
      if (result !== 'refused') return { ...outcome, result }
      // A client may have uploaded the same bytes there in the meantime.
      if (await context.target.head(versionKey(ref), { signal })) return { ...outcome, result: 'present' }
      // Or the store counts a deleted object as present. Any other writer of this key writes the same bytes.
      condition = undefined
    } catch (error) {
      if (error instanceof DamagedBytes) return { ...outcome, result: 'damaged', found: error.found }
      const fault = faultOf(error)
      if (fault === null) throw error
      await Promise.all([context.source, context.target].map((store) => store.clock({ signal })))
      if (fault.final || attempt >= attemptsMax) return { ...outcome, result: fault.result }
    }
  }
}

async function compareWithTarget(
  { source, target, signal }: CopyContext,
  ref: VersionRef,
  size: number,
  sizeThere: number,
): Promise<VersionResult> {
  if (size !== sizeThere) return 'differs'
  const key = versionKey(ref)
  const [here, there] = await Promise.all([source.head(key, { signal }), target.head(key, { signal })])
  if (!here) return 'gone'
  return there && sameFacts(here, there) ? 'present' : 'kept'
}

/** Returns whether content type and metadata agree: all that is kept with the bytes. */
export function sameFacts(one: ObjectInfo, other: ObjectInfo): boolean {
  return one.contentType === other.contentType && Bun.deepEquals(one.metadata, other.metadata)
}

/**
 * Copies the bytes, hashed on their way: the target's `put` publishes nothing if they are wrong at their end. An abort
 * ends the reading, and with it the put; once all bytes are sent, the answer is awaited, so that what is stored counts.
 */
async function transfer(
  { source, target, rateLimit, onBytes, signal }: CopyContext,
  ref: VersionRef,
  condition: PutOptions['condition'],
): Promise<'copied' | 'gone' | 'refused'> {
  const key = versionKey(ref)
  const object = await source.get(key, { signal })
  if (!object) return 'gone'
  const { size, contentType, metadata, body } = object
  const damaged = ({ digest }: Identity) => new DamagedBytes(digest)
  const verified = checked(body, { digest: ref.digest, size }, damaged, async ({ byteLength }) => {
    onBytes?.(byteLength)
    await rateLimit(byteLength)
  })
  const stored = await target.put(key, verified, {
    ...{ size, contentType, metadata, condition },
    sha256: digestHex(ref.digest),
  })
  return stored ? 'copied' : 'refused'
}

class DamagedBytes extends Error {
  constructor(readonly found: Digest) {
    super(`the bytes hash to ${found}`)
  }
}

/**
 * Returns what a failed transfer says about this object alone, or `null` if it says something about all of them. A
 * target that refuses one put refuses the next one as well; a source may hold single objects of another owner.
 */
function faultOf(error: unknown): { result: VersionResult; final: boolean } | null {
  if (!(error instanceof SideError)) return null
  const transient = isTransient(error)
  if (error.side === 'source') return { result: 'unreadable', final: !transient }
  return transient ? { result: 'unwritable', final: false } : null
}
