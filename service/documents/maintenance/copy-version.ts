import type { ListedObject, ObjectInfo, ObjectStore, PutOptions } from '../../object-store/object-store.ts'
import { tap } from '../../object-store/tap.ts'
import { digestHex, versionKey } from '../document-key.ts'
import type { Digest, VersionRef } from '../document-ref.ts'
import { verified } from '../verified-stream.ts'
import type { Pace } from './pace.ts'
import { SideError } from './store-side.ts'

/** What there is to copy between. Failures of the two stores say which one it was (`store-side.ts`). */
export interface CopyContext {
  source: ObjectStore
  target: ObjectStore
  /** Writes nothing, and reads no bytes. */
  dryRun: boolean
  pace: Pace
  /** Told of bytes as they pass. */
  onBytes?: ((bytes: number) => void) | undefined
  signal?: AbortSignal | undefined
}

/**
 * - `copied`: verified on its way and stored; in a dry run: would be.
 * - `present`: there already, of the same size, with the same content type and metadata.
 * - `kept`: there already, with metadata of its own: the first writer wins in each store.
 * - `gone`: deleted from the source since it was listed.
 *
 * What follows is wrong, and nothing was written:
 * - `differs`: there already, in another size: one of the two is damaged.
 * - `damaged`: the source's bytes do not hash to their digest.
 * - `unreadable`, `unwritable`: the source does not give it out, the target does not take it, again and again,
 *   while both answer otherwise.
 */
export type VersionResult =
  | 'copied'
  | 'present'
  | 'kept'
  | 'gone'
  | 'differs'
  | 'damaged'
  | 'unreadable'
  | 'unwritable'

export interface VersionOutcome {
  of: 'version'
  ref: VersionRef
  result: VersionResult
  /** Bytes of the source's object, as it was listed. */
  size: number
  /** Of bytes that are `damaged`: what they hash to. */
  found?: Digest
}

/** A copy that fails this often while both stores answer otherwise is the object's own fault. */
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
      // Somebody may have uploaded the same bytes there meanwhile.
      if (await context.target.head(versionKey(ref), { signal })) return { ...outcome, result: 'present' }
      // Or the store takes a deleted object for one that is there. Whoever writes these bytes now writes the same.
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

/** Content type and metadata, which are all that is kept beside the bytes. */
export function sameFacts(one: ObjectInfo, other: ObjectInfo): boolean {
  return one.contentType === other.contentType && Bun.deepEquals(one.metadata, other.metadata)
}

/** The last chunk is held back until the hash agrees: the target never has a complete body that is wrong. */
async function transfer(
  { source, target, pace, onBytes, signal }: CopyContext,
  ref: VersionRef,
  condition: PutOptions['condition'],
): Promise<'copied' | 'gone' | 'refused'> {
  const key = versionKey(ref)
  const object = await source.get(key, { signal })
  if (!object) return 'gone'
  const { size, contentType, metadata, body } = object
  const paced = tap(body, {
    onChunk: async ({ byteLength }) => {
      onBytes?.(byteLength)
      await pace(byteLength)
    },
  })
  const checked = verified(paced, { digest: ref.digest, size }, ({ digest }) => new DamagedBytes(digest))
  const stored = await target.put(key, checked, {
    ...{ size, contentType, metadata, condition, signal },
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
 * What a failed transfer says of this object alone; `null` where it says something of all of them. A target that
 * refuses one put refuses the next one as well; a source may hold single objects that are another's.
 */
function faultOf(error: unknown): { result: VersionResult; final: boolean } | null {
  if (!(error instanceof SideError)) return null
  const passing = error.code === 'unavailable'
  if (error.side === 'source') return { result: 'unreadable', final: !passing }
  return passing ? { result: 'unwritable', final: false } : null
}
