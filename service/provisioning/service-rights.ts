/** One right of the S3 API (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html). */
export interface ServiceRight {
  action: string
  /** What the right is about: the bucket itself or the objects below the prefix. */
  on: 'bucket' | 'objects'
  /** The operation of the service that fails without it; the suite in `tests/integration` tries each. */
  breaks: ServiceOperation
}

/** What the service does with its store, as its callers would name it. */
export type ServiceOperation =
  | 'upload'
  | 'download'
  | 'list documents'
  | 'delete a version'
  | 'give up a large upload'
  | 'sweep leftovers'
  | 'probe: lifecycle'
  | 'probe: versioning'
  | 'probe: object lock'
  | 'refuse to delete a locked version'
  | 'refuse to delete a version on legal hold'

/**
 * Everything that the document service may do, and no more. Copies need GetObject and PutObject; tags, tickets and
 * completions are puts, gets and deletes; readiness (HeadBucket) is ListBucket.
 */
export const serviceRights: readonly ServiceRight[] = [
  { action: 's3:ListBucket', on: 'bucket', breaks: 'list documents' },
  { action: 's3:ListBucketMultipartUploads', on: 'bucket', breaks: 'sweep leftovers' },
  { action: 's3:GetLifecycleConfiguration', on: 'bucket', breaks: 'probe: lifecycle' },
  { action: 's3:GetBucketVersioning', on: 'bucket', breaks: 'probe: versioning' },
  { action: 's3:GetBucketObjectLockConfiguration', on: 'bucket', breaks: 'probe: object lock' },
  { action: 's3:GetObject', on: 'objects', breaks: 'download' },
  { action: 's3:PutObject', on: 'objects', breaks: 'upload' },
  { action: 's3:DeleteObject', on: 'objects', breaks: 'delete a version' },
  { action: 's3:AbortMultipartUpload', on: 'objects', breaks: 'give up a large upload' },
  { action: 's3:GetObjectRetention', on: 'objects', breaks: 'refuse to delete a locked version' },
  { action: 's3:GetObjectLegalHold', on: 'objects', breaks: 'refuse to delete a version on legal hold' },
]

/**
 * What Loki and Tempo need in a bucket of their own: their clients also ask for its location, and continue
 * uploads in parts that an earlier attempt left.
 */
export const telemetryRights: readonly Pick<ServiceRight, 'action' | 'on'>[] = [
  { action: 's3:GetBucketLocation', on: 'bucket' },
  { action: 's3:ListBucket', on: 'bucket' },
  { action: 's3:ListBucketMultipartUploads', on: 'bucket' },
  { action: 's3:GetObject', on: 'objects' },
  { action: 's3:PutObject', on: 'objects' },
  { action: 's3:DeleteObject', on: 'objects' },
  { action: 's3:AbortMultipartUpload', on: 'objects' },
  { action: 's3:ListMultipartUploadParts', on: 'objects' },
]
