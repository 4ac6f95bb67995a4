import { latestKey, tagKey, tagsPrefix, versionKey, versionsPrefix } from '../../documents/document-key.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { broken, holds, Missing, type Observation } from '../checks/check.ts'
import { digestOf, type SmokeScene } from './checks.ts'

/** Checks the objects in the bucket itself, with whole keys and independently of the service. */
export async function objectsAreThere({ bucket, marker, signal }: SmokeScene): Promise<Observation> {
  const { store, prefix } = given(bucket)
  const expected = [versionKey(marker), tagKey(marker, marker.tag), latestKey(marker)].map(
    (key) => prefix + key,
  )
  const found = await keysOf(store, prefix, { marker, signal })
  const seen = found.length === 0 ? 'nothing' : found.join('\n')
  if (!Bun.deepEquals(found.toSorted(), expected.toSorted())) {
    return broken(seen, `should be ${expected.join(', ')}`)
  }
  const object = await store.get(prefix + versionKey(marker), { signal })
  const digest = object && digestOf(new Uint8Array(await new Response(object.body).arrayBuffer()))
  return digest === marker.digest
    ? holds(seen)
    : broken(`${seen}\nof ${digest}`, `should be ${marker.digest}`)
}

/** Checks that the bucket holds nothing of the marker any more. */
export async function objectsAreGone({ bucket, marker, signal }: SmokeScene): Promise<Observation> {
  const { store, prefix } = given(bucket)
  const left = await keysOf(store, prefix, { marker, signal })
  return left.length === 0 ? holds('nothing') : broken(left.join('\n'), 'should be nothing')
}

/** @throws {Missing} */
function given(bucket: SmokeScene['bucket']): NonNullable<SmokeScene['bucket']> {
  if (bucket === null) throw new Missing('the S3_* variables of the store behind the service')
  return bucket
}

async function keysOf(
  store: ObjectStore,
  prefix: string,
  { marker, signal }: Pick<SmokeScene, 'marker' | 'signal'>,
): Promise<string[]> {
  const pages = await Promise.all(
    [versionsPrefix(marker), tagsPrefix(marker)].map((below) =>
      store.list({ prefix: prefix + below, limit: 1000, signal }),
    ),
  )
  return pages.flatMap(({ objects }) => objects.map(({ key }) => key))
}
