import {
  type CORSRule,
  CreateBucketCommand,
  HeadBucketCommand,
  type LifecycleRule,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3'
import { browserAccess } from '../browser-access.ts'
import { createS3Client } from './client.ts'

/** Staged bytes and unfinished uploads older than this belong to nobody any more. */
const leftoverDays = 1

export interface ProvisionConnection {
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  forcePathStyle: boolean
  /** PEM of a private certificate authority. */
  ca?: string | undefined
}

export interface ProvisionResult {
  /** False if the bucket was there already. */
  created: boolean
  /** Rules that the store would not take, in words; whoever runs it should know. */
  refused: string[]
}

/**
 * Makes sure that the bucket exists and that the store itself removes leftovers after a day: objects under
 * `stagingPrefix` (such as `docs/staging/`) and unfinished multipart uploads; with `browserOrigins`, that pages
 * of these origins, and no others, may send and fetch with signed URLs. Replaces the bucket's lifecycle and CORS
 * configuration. Can be repeated. For local stores and tests: in production the bucket is the operator's.
 *
 * Source: S3 API, CreateBucket, PutBucketLifecycleConfiguration, PutBucketCors.
 *
 * @throws {S3ServiceException} if the bucket is neither there nor can be created; network errors as they come.
 */
export async function provisionBucket(
  connection: ProvisionConnection,
  options: { bucket: string; stagingPrefix: string; browserOrigins?: readonly string[] },
): Promise<ProvisionResult> {
  const client = createS3Client(connection)
  try {
    const { bucket, stagingPrefix, browserOrigins } = options
    const created = await ensureBucket(client, bucket)
    const refused = await setLifecycle(client, bucket, stagingPrefix)
    if (browserOrigins) refused.push(...(await setCors(client, bucket, browserOrigins)))
    return { created, refused }
  } finally {
    client.destroy()
  }
}

async function ensureBucket(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }))
    return false
  } catch (error) {
    if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 404) throw error
  }
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    return true
  } catch (error) {
    if (error instanceof S3ServiceException && error.name === 'BucketAlreadyOwnedByYou') return false
    throw error
  }
}

/** Tries both rules, then the first one alone: MinIO refuses the whole configuration for the second. */
async function setLifecycle(client: S3Client, bucket: string, stagingPrefix: string): Promise<string[]> {
  const expireStaging: LifecycleRule = {
    ID: 'staging-expires',
    Status: 'Enabled',
    Filter: { Prefix: stagingPrefix },
    Expiration: { Days: leftoverDays },
  }
  const abortUnfinished: LifecycleRule = {
    ID: 'unfinished-uploads-abort',
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: leftoverDays },
  }
  if (await takesRules(client, bucket, [expireStaging, abortUnfinished])) return []
  const noAbort = 'abort unfinished multipart uploads after 1 day'
  if (await takesRules(client, bucket, [expireStaging])) return [noAbort]
  return [noAbort, `expire ${stagingPrefix} after 1 day`]
}

function takesRules(client: S3Client, bucket: string, rules: LifecycleRule[]): Promise<boolean> {
  const lifecycle = { Bucket: bucket, LifecycleConfiguration: { Rules: rules } }
  return isTaken(client.send(new PutBucketLifecycleConfigurationCommand(lifecycle)))
}

async function setCors(client: S3Client, bucket: string, origins: readonly string[]): Promise<string[]> {
  const rule: CORSRule = {
    ID: browserAccess.id,
    AllowedOrigins: [...origins],
    AllowedMethods: [...browserAccess.methods],
    AllowedHeaders: [...browserAccess.headers],
    ExposeHeaders: [...browserAccess.exposed],
    MaxAgeSeconds: browserAccess.seconds,
  }
  const cors = { Bucket: bucket, CORSConfiguration: { CORSRules: [rule] } }
  const taken = await isTaken(client.send(new PutBucketCorsCommand(cors)))
  return taken ? [] : [`let in the browsers of ${origins.join(', ')} alone (CORS)`]
}

/** A store that does not know the call or the rule says so with a 4xx or with 501. */
async function isTaken(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return true
  } catch (error) {
    const status = error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0
    if (status === 501 || (status >= 400 && status < 500)) return false
    throw error
  }
}
