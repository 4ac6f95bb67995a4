import type { Place } from '../config/checks.ts'
import type { ServiceRight } from './service-rights.ts'

export interface PolicyStatement {
  Sid: string
  Effect: 'Allow' | 'Deny'
  Principal?: { AWS: string[] }
  NotPrincipal?: { AWS: string[] }
  Action: string[]
  Resource?: string[]
  NotResource?: string[]
}

export interface Policy {
  Version: '2012-10-17'
  Statement: PolicyStatement[]
}

export type Right = Pick<ServiceRight, 'action' | 'on'>

/** The principals of a policy, as ARNs such as `arn:aws:iam:::user/p1234567:<access key id>` (Hetzner's form). */
export interface Principals {
  /** Those who may change the bucket. */
  provisioners: readonly string[]
  /** Those that work in it: one, and two while a key is being replaced. */
  users: readonly string[]
}

/**
 * Returns the policy that narrows project-wide keys. Such keys may do everything in every bucket of their project, and
 * no Allow takes anything from them: only an explicit Deny does (docs.hetzner.com, "S3 credentials"; Ceph, "Bucket
 * Policies"). So it denies everything to all keys except the named ones, and to `users` what is not among `rights` or
 * lies outside of the prefix.
 *
 * Actions are spelled out: RGW 16.2 takes `NotAction` and then denies nothing (measured), and refuses a policy with
 * an action that it does not know.
 */
export function narrowingPolicy(place: Place, principals: Principals, rights: readonly Right[]): Policy {
  const needed = new Set(rights.map(({ action }) => action))
  const users = { AWS: [...principals.users] }
  const whole = [bucketArn(place), `${bucketArn(place)}/*`]
  const denied = deniableActions.filter((action) => !needed.has(action))
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'OnlyTheseKeys',
        Effect: 'Deny',
        NotPrincipal: { AWS: [...principals.provisioners, ...principals.users] },
        Action: ['s3:*'],
        Resource: whole,
      },
      { Sid: 'NoMoreThanNeeded', Effect: 'Deny', Principal: users, Action: denied, Resource: whole },
      {
        Sid: 'OwnPrefixOnly',
        Effect: 'Deny',
        Principal: users,
        Action: ['s3:*'],
        NotResource: [bucketArn(place), objectsArn(place)],
      },
    ],
  }
}

/**
 * On MinIO, DeleteObject includes this unless it is denied; ListBucket includes ListBucketVersions even if that is
 * denied (measured).
 */
const oldVersionActions = ['s3:DeleteObjectVersion']

/** Returns the same rights as a policy of a user, for stores such as MinIO, whose keys have no rights by default. */
export function userPolicy(place: Place, rights: readonly Right[]): Policy {
  const actionsOn = (on: Right['on']) => rights.filter((right) => right.on === on).map(({ action }) => action)
  return {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'Bucket', Effect: 'Allow', Action: actionsOn('bucket'), Resource: [bucketArn(place)] },
      { Sid: 'Objects', Effect: 'Allow', Action: actionsOn('objects'), Resource: [objectsArn(place)] },
      {
        Sid: 'NoOldVersions',
        Effect: 'Deny',
        Action: oldVersionActions,
        Resource: [`${bucketArn(place)}/*`],
      },
    ],
  }
}

/**
 * Returns a statement that takes away only the right to read the CORS rules, and only from principals that are not
 * provisioners: a key that is refused after it would be locked out permanently by the real policy.
 */
export function trialStatement(place: Place, provisioners: readonly string[]): PolicyStatement {
  return {
    Sid: 'ProvisionTrial',
    Effect: 'Deny',
    NotPrincipal: { AWS: [...provisioners] },
    Action: ['s3:GetBucketCORS'],
    Resource: [bucketArn(place)],
  }
}

function bucketArn({ bucket }: Place): string {
  return `arn:aws:s3:::${bucket}`
}

function objectsArn(place: Place): string {
  return `${bucketArn(place)}/${place.prefix}*`
}

/** Every action on a bucket or its objects that RGW 16.2 knows; the two wildcards include later ones. */
export const deniableActions: readonly string[] = [
  ...['s3:PutBucket*', 's3:DeleteBucket*', 's3:AbortMultipartUpload', 's3:BypassGovernanceRetention'],
  ...['s3:DeleteObject', 's3:DeleteObjectTagging', 's3:DeleteObjectVersion', 's3:DeleteObjectVersionTagging'],
  ...['s3:DeleteReplicationConfiguration', 's3:GetAccelerateConfiguration', 's3:GetBucketAcl'],
  ...['s3:GetBucketCORS', 's3:GetBucketLocation', 's3:GetBucketLogging', 's3:GetBucketNotification'],
  ...['s3:GetBucketObjectLockConfiguration', 's3:GetBucketPolicy', 's3:GetBucketPolicyStatus'],
  ...['s3:GetBucketPublicAccessBlock', 's3:GetBucketRequestPayment', 's3:GetBucketTagging'],
  ...['s3:GetBucketVersioning', 's3:GetBucketWebsite', 's3:GetLifecycleConfiguration', 's3:GetObject'],
  ...['s3:GetObjectAcl', 's3:GetObjectLegalHold', 's3:GetObjectRetention', 's3:GetObjectTagging'],
  ...['s3:GetObjectTorrent', 's3:GetObjectVersion', 's3:GetObjectVersionAcl', 's3:GetObjectVersionTagging'],
  ...['s3:GetObjectVersionTorrent', 's3:GetReplicationConfiguration', 's3:ListBucket'],
  ...['s3:ListBucketMultipartUploads', 's3:ListBucketVersions', 's3:ListMultipartUploadParts'],
  ...['s3:PutAccelerateConfiguration', 's3:PutLifecycleConfiguration', 's3:PutObject', 's3:PutObjectAcl'],
  ...['s3:PutObjectLegalHold', 's3:PutObjectRetention', 's3:PutObjectTagging', 's3:PutObjectVersionAcl'],
  ...['s3:PutObjectVersionTagging', 's3:PutReplicationConfiguration', 's3:RestoreObject'],
]
