/** Where things may be kept: bucket names and prefixes. */

/** A bucket and the prefix below which its owner keeps everything. */
export interface Place {
  bucket: string
  /** Ends with a slash. */
  prefix: string
}

/**
 * Why `name` cannot be a bucket, by the rules for general purpose buckets
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
 */
export function bucketProblem(name: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
    return 'must be 3–63 of a-z, 0-9, hyphen and dot, with a letter or digit at both ends'
  }
  if (name.includes('..')) return 'must not have two dots in a row'
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return 'must not look like an IP address'
  if (/^(xn--|sthree-|amzn-s3-demo-)/.test(name)) return 'must not begin with xn--, sthree- or amzn-s3-demo-'
  if (/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name)) {
    return 'must not end with -s3alias, --ol-s3, .mrap, --x-s3 or --table-s3'
  }
  return undefined
}

/** True if a key could belong to both: same bucket, and one prefix is the other or contains it. */
export function placesOverlap(one: Place, other: Place): boolean {
  return (
    one.bucket === other.bucket &&
    (one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix))
  )
}
