import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3'
import type { StoreConnection } from '../../compose/servers/running-store.ts'
import { watchOldVersions } from '../../observability/proof/store/old-versions.ts'
import { createBucketSettings } from '../../service/object-store/s3/bucket-settings.ts'
import { createS3Client } from '../../service/object-store/s3/client.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { folderForTests } from '../support/folder.ts'
import { storeUsers } from '../support/observability/store-users.ts'
import { storeVariables, validate } from '../support/observability/validate-program.ts'
import { bareBucket } from '../support/stores/bucket.ts'
import { storeForTests } from '../support/stores/store.ts'

setDefaultTimeout(20 * 60_000)

const store = await storeForTests('minio')
const settings = createBucketSettings(store)
const client = createS3Client(store)
const folder = await folderForTests('cloudlysis-old-versions-')

afterAll(() => {
  settings.close()
  client.destroy()
})

/** A bucket that keeps versions. @param lockDays for how long it also locks new objects; default: not at all */
async function versionedBucket(lockDays?: number): Promise<string> {
  const bucket = lockDays === undefined ? await bareBucket(store) : `test-${randomBytes(12).toString('hex')}`
  if (lockDays === undefined) expect(await settings.putVersioning(bucket)).toBeNull()
  else {
    expect(await settings.create(bucket, { objectLock: true })).toBeNull()
    expect(await settings.putRetention(bucket, 'GOVERNANCE', lockDays)).toBeNull()
  }
  return bucket
}

/** Puts an object and deletes it, as what is left clean. */
async function putAndDelete(bucket: string, key: string, access: StoreConnection = store): Promise<void> {
  const objects = createS3ObjectStore({ ...access, bucket, connectionsMax: 4 })
  await objects.put(key, Uint8Array.of(1), { size: 1, contentType: 'text/plain' })
  await objects.delete(key)
  objects.close()
}

/** Keys of all versions and delete markers. */
async function versionsIn(Bucket: string): Promise<string[]> {
  const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }))
  return [...Versions, ...DeleteMarkers].map(({ Key = '' }) => Key).sort()
}

const earlier = 'tempo/of-an-earlier-tempo'
const watch = (bucket: string, access: StoreConnection = store) =>
  watchOldVersions({ ...access, bucket }, ['tempo/', 'canary/'], 'tempo/scratch/object')

describe('old versions below the prefixes of a proof', () => {
  it('are removed with their delete markers, except those that were there before', async () => {
    const bucket = await versionedBucket()
    await putAndDelete(bucket, earlier)
    const versions = await watch(bucket)
    for (const key of ['tempo/block', 'canary/keep', 'elsewhere/object']) await putAndDelete(bucket, key)
    expect(await versions.remove()).toEqual([])
    const elsewhere = 'elsewhere/object'
    expect(await versionsIn(bucket)).toEqual([elsewhere, elsewhere, earlier, earlier])
  })

  it('cost a bucket without versions nothing but a scratch object', async () => {
    const bucket = await bareBucket(store)
    const versions = await watch(bucket)
    await putAndDelete(bucket, 'tempo/block')
    expect(await versions.remove()).toEqual([])
    expect(await versionsIn(bucket)).toEqual([])
  })

  it('are said to be left where they are locked', async () => {
    const bucket = await versionedBucket(1)
    const versions = await watch(bucket)
    await putAndDelete(bucket, 'tempo/block')
    const [left = '', ...others] = await versions.remove()
    expect(left).toMatch(/^tempo\/… \(old versions: [1-9] cannot be removed: \w+\)$/)
    expect(others).toEqual([])
  })

  it('are said to be left where these keys may not list them', async () => {
    const bucket = await versionedBucket()
    const users = await storeUsers(store, folder)
    const on = { Effect: 'Allow' as const, Resource: `arn:aws:s3:::${bucket}/*` }
    const Action = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']
    const keys = await users.add('narrow', { Version: '2012-10-17', Statement: [{ ...on, Action }] })
    const versions = await watch(bucket, { ...store, ...keys })
    const why = '… (old versions: they cannot be listed: AccessDenied)'
    expect(await versions.remove()).toEqual([`tempo/${why}`, `canary/${why}`])
  })

  it('are removed by validate, whose Tempo leaves nothing in a bucket that keeps versions', async () => {
    const bucket = await versionedBucket()
    await putAndDelete(bucket, earlier)
    const env = await storeVariables(store, { tempo: bucket }, folder)
    const { stdout, exitCode } = await validate(['tempo'], env)
    expect({ exitCode, left: /^left behind.*/m.exec(stdout) }).toEqual({ exitCode: 0, left: null })
    expect(await versionsIn(bucket)).toEqual([earlier, earlier])
  })
})
