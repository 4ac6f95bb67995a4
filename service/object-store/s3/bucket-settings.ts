import {
  type CORSRule,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  type LifecycleRule,
  ListObjectVersionsCommand,
  type ObjectLockRetentionMode,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3'
import { createS3Client, type S3Endpoint } from './client.ts'
import { statusOf, toObjectStoreError } from './errors.ts'

export type { CORSRule as S3CorsRule, LifecycleRule as S3LifecycleRule } from '@aws-sdk/client-s3'

/** How a bucket is set up, in the terms of the S3 API. A setting that the store does not know counts as not set. */
export interface BucketSettings {
  versioning: 'Enabled' | 'Suspended' | 'off'
  objectLock: { retention?: { mode: ObjectLockRetentionMode; days: number } } | null
  lifecycle: LifecycleRule[]
  cors: CORSRule[]
  /** As it is stored, parsed. */
  policy: unknown
}

/** The store refused a setting; `refused` is its status and code, safe to show. */
export interface Refused {
  refused: string
}

/**
 * Reads and writes the settings of buckets, for provisioning. Writing resolves to `null`, or to the store's answer if it
 * refuses the setting (4xx or 501).
 *
 * Source: S3 API, operations on buckets. @throws {ObjectStoreError} for all other failures.
 */
export interface BucketSettingsClient {
  /** @returns `null` for a bucket that does not exist. */
  read(bucket: string): Promise<BucketSettings | null>
  create(bucket: string, options: { objectLock: boolean }): Promise<Refused | null>
  /** Removes a bucket with everything in it, old versions included: at most 1,000, as in a bucket for a trial. */
  remove(bucket: string): Promise<void>
  putVersioning(bucket: string): Promise<Refused | null>
  putRetention(bucket: string, mode: ObjectLockRetentionMode, days: number): Promise<Refused | null>
  putLifecycle(bucket: string, rules: LifecycleRule[]): Promise<Refused | null>
  putCors(bucket: string, rules: CORSRule[]): Promise<Refused | null>
  putPolicy(bucket: string, policy: unknown): Promise<Refused | null>
  removePolicy(bucket: string): Promise<void>
  /** True if these keys may read the CORS rules, which distinguishes a refusal from "there are none". */
  mayReadCors(bucket: string): Promise<boolean>
  close(): void
}

/** Creates a client for the settings of the buckets of this store. */
export function createBucketSettings(endpoint: S3Endpoint): BucketSettingsClient {
  const client = createS3Client(endpoint)

  /** @returns `null` if nothing is set, or the store does not know this setting. */
  async function read<T>(operation: string, call: Promise<T>): Promise<T | null> {
    try {
      return await call
    } catch (error) {
      if ([400, 404, 405, 501].includes(statusOf(error))) return null
      throw toObjectStoreError(operation, error)
    }
  }

  async function write(operation: string, call: Promise<unknown>): Promise<Refused | null> {
    try {
      await call
      return null
    } catch (error) {
      const status = statusOf(error)
      const failure = toObjectStoreError(operation, error)
      if (status === 501 || failure.code === 'rejected') return { refused: `${status} ${failure.reason}` }
      throw failure
    }
  }

  return {
    async read(Bucket) {
      if ((await read('headBucket', client.send(new HeadBucketCommand({ Bucket })))) === null) return null
      const versioning = await read('getVersioning', client.send(new GetBucketVersioningCommand({ Bucket })))
      const lock = await read('getObjectLock', client.send(new GetObjectLockConfigurationCommand({ Bucket })))
      const lifecycle = await read(
        'getLifecycle',
        client.send(new GetBucketLifecycleConfigurationCommand({ Bucket })),
      )
      const cors = await read('getCors', client.send(new GetBucketCorsCommand({ Bucket })))
      const policy = await read('getPolicy', client.send(new GetBucketPolicyCommand({ Bucket })))
      const { Mode, Days } = lock?.ObjectLockConfiguration?.Rule?.DefaultRetention ?? {}
      const isLocked = lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled'
      return {
        versioning: versioning?.Status ?? 'off',
        objectLock: isLocked ? (Mode && Days ? { retention: { mode: Mode, days: Days } } : {}) : null,
        lifecycle: lifecycle?.Rules ?? [],
        cors: cors?.CORSRules ?? [],
        policy: policy?.Policy ? JSON.parse(policy.Policy) : null,
      }
    },

    create: (Bucket, { objectLock }) => {
      const lock = objectLock ? { ObjectLockEnabledForBucket: true } : {}
      return write('createBucket', client.send(new CreateBucketCommand({ Bucket, ...lock })))
    },

    async remove(Bucket) {
      try {
        const { Versions = [], DeleteMarkers = [] } = await client.send(
          new ListObjectVersionsCommand({ Bucket }),
        )
        for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) {
          await client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))
        }
        await client.send(new DeleteBucketCommand({ Bucket }))
      } catch (error) {
        throw toObjectStoreError('removeBucket', error)
      }
    },

    putVersioning: (Bucket) => {
      const VersioningConfiguration = { Status: 'Enabled' } as const
      const command = new PutBucketVersioningCommand({ Bucket, VersioningConfiguration })
      return write('putVersioning', client.send(command))
    },

    putRetention: (Bucket, Mode, Days) => {
      const Rule = { DefaultRetention: { Mode, Days } }
      const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const
      const command = new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration })
      return write('putObjectLock', client.send(command))
    },

    putLifecycle: (Bucket, Rules) => {
      const LifecycleConfiguration = { Rules }
      const command = new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration })
      return write('putLifecycle', client.send(command))
    },

    putCors: (Bucket, CORSRules) =>
      write('putCors', client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }))),

    putPolicy: (Bucket, policy) =>
      write('putPolicy', client.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(policy) }))),

    async removePolicy(Bucket) {
      await write('removePolicy', client.send(new DeleteBucketPolicyCommand({ Bucket })))
    },

    async mayReadCors(Bucket) {
      try {
        await client.send(new GetBucketCorsCommand({ Bucket }))
        return true
      } catch (error) {
        const failure = toObjectStoreError('getCors', error)
        if (failure.code === 'unavailable' && statusOf(error) !== 501) throw failure
        return failure.code !== 'denied'
      }
    },

    close: () => client.destroy(),
  }
}
