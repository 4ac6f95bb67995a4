import {
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { createS3Client } from '../../../service/object-store/s3/client.ts'
import { toObjectStoreError } from '../../../service/object-store/s3/errors.ts'
import { createProbeClient } from '../../../service/object-store/s3/probe-client.ts'
import type { StoreAccess } from '../deployment.ts'

/** What a bucket that keeps versions still has after an object was deleted there: its bytes, and a delete marker. */
export interface OldVersions {
  /** Removes what came since {@link watchOldVersions}. @returns what is left, in words */
  remove(): Promise<string[]>
}

/** A version or a delete marker. */
interface Version {
  Key: string
  VersionId: string
}

/**
 * Finds out whether the bucket keeps versions, by a scratch object, and which there are already: those may be all that
 * is left of someone's data, and stay.
 *
 * @param prefixes below which the proof will write.
 * @param scratch key of an object below one of them; it is deleted again.
 */
export async function watchOldVersions(
  store: StoreAccess & { bucket: string },
  prefixes: readonly string[],
  scratch: string,
): Promise<OldVersions> {
  const probe = createProbeClient({ ...store, connectionsMax: 2 })
  const put = await probe.send({ method: 'PUT', key: scratch, body: 'bytes' })
  const deleted = await probe.send({ method: 'DELETE', key: scratch })
  // Where keeping versions is suspended, there are delete markers all the same.
  const keeps = put.headers.has('x-amz-version-id') || deleted.headers.has('x-amz-delete-marker')
  if (!keeps) return { remove: async () => [] }
  const own = scratch.slice(0, scratch.lastIndexOf('/') + 1)
  const client = createS3Client(store)
  const before = new Map<string, ReadonlySet<string> | string>()
  for (const prefix of prefixes) before.set(prefix, await idsBelow(client, store.bucket, prefix))
  return {
    async remove() {
      const left: string[] = []
      for (const [prefix, known] of before) {
        const remains =
          typeof known === 'string' ? `they cannot be listed: ${known}` : await removeBelow(prefix, known)
        if (remains !== null) left.push(`${prefix}… (old versions: ${remains})`)
      }
      client.destroy()
      return left
    },
  }

  async function removeBelow(prefix: string, known: ReadonlySet<string>): Promise<string | null> {
    let [kept, why] = [0, '']
    try {
      for await (const { Key, VersionId } of versionsBelow(client, store.bucket, prefix)) {
        if (known.has(idOf({ Key, VersionId })) && !Key.startsWith(own)) continue
        await client
          .send(new DeleteObjectCommand({ Bucket: store.bucket, Key, VersionId }))
          .catch((error) => {
            kept += 1
            why = toObjectStoreError('delete', error).reason
          })
      }
    } catch (error) {
      return `they cannot be listed: ${toObjectStoreError('list', error).reason}`
    }
    return kept === 0 ? null : `${kept} cannot be removed: ${why}`
  }
}

/** @returns the ids of all versions and delete markers, or why they cannot be listed. */
async function idsBelow(
  client: S3Client,
  bucket: string,
  prefix: string,
): Promise<ReadonlySet<string> | string> {
  const ids = new Set<string>()
  try {
    for await (const version of versionsBelow(client, bucket, prefix)) ids.add(idOf(version))
    return ids
  } catch (error) {
    return toObjectStoreError('list', error).reason
  }
}

/** An id alone is unique only in buckets in which keeping versions was never suspended. */
function idOf({ Key, VersionId }: Version): string {
  return `${VersionId} ${Key}`
}

/** S3 API, ListObjectVersions: a thousand a page. */
async function* versionsBelow(client: S3Client, Bucket: string, Prefix: string): AsyncGenerator<Version> {
  let from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {}
  while (from !== undefined) {
    const page: ListObjectVersionsCommandOutput = await client.send(
      new ListObjectVersionsCommand({ Bucket, Prefix, ...from }),
    )
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      if (Key !== undefined && VersionId !== undefined) yield { Key, VersionId }
    }
    from = page.IsTruncated
      ? { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
      : undefined
  }
}
