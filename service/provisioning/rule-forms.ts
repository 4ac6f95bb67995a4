import type { S3CorsRule, S3LifecycleRule } from '../object-store/s3/bucket-settings.ts'
import type { CorsRule, LifecycleRule } from './wanted-bucket.ts'

/** Our few words about lifecycle and CORS in the form of the S3 API, and whether the store has them already. */

export function toS3Lifecycle(rule: LifecycleRule): S3LifecycleRule {
  const { id, prefix, expireDays, oldVersionDays, abortUploadDays, removeMarkers } = rule
  return {
    ID: id,
    Status: 'Enabled',
    Filter: { Prefix: prefix },
    ...(expireDays === undefined ? {} : { Expiration: { Days: expireDays } }),
    ...(removeMarkers ? { Expiration: { ExpiredObjectDeleteMarker: true } } : {}),
    ...(oldVersionDays === undefined
      ? {}
      : { NoncurrentVersionExpiration: { NoncurrentDays: oldVersionDays } }),
    ...(abortUploadDays === undefined
      ? {}
      : { AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortUploadDays } }),
  }
}

export function toS3Cors({ id, origins, methods, headers, exposed, seconds }: CorsRule): S3CorsRule {
  return {
    ID: id,
    AllowedOrigins: [...origins],
    AllowedMethods: [...methods],
    AllowedHeaders: [...headers],
    ExposeHeaders: [...exposed],
    MaxAgeSeconds: seconds,
  }
}

/** Stores answer with the prefix where it was or at its older place, and leave out what is empty. */
export function sameLifecycle(one: S3LifecycleRule, other: S3LifecycleRule): boolean {
  return Bun.deepEquals(essenceOf(one), essenceOf(other))
}

function essenceOf(rule: S3LifecycleRule): unknown[] {
  return [
    rule.Status,
    rule.Filter?.Prefix || rule.Prefix || '',
    rule.Expiration?.Days ?? null,
    rule.Expiration?.ExpiredObjectDeleteMarker === true,
    rule.NoncurrentVersionExpiration?.NoncurrentDays ?? null,
    rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation ?? null,
  ]
}

/** The order of values has no meaning, and RGW sorts them. */
export function sameCors(one: S3CorsRule, other: S3CorsRule): boolean {
  const essence = (rule: S3CorsRule) => [
    rule.AllowedOrigins?.toSorted(),
    rule.AllowedMethods?.toSorted(),
    rule.AllowedHeaders?.map((name) => name.toLowerCase()).toSorted(),
    rule.ExposeHeaders?.toSorted(),
    rule.MaxAgeSeconds,
  ]
  return Bun.deepEquals(essence(one), essence(other))
}
