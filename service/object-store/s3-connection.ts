/** What is needed to reach one bucket of an S3-compatible store. */
export interface S3Connection {
  /** Origin such as `https://fsn1.your-objectstorage.com`, without path. */
  endpoint: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  forcePathStyle: boolean
  bucket: string
  /** Connections to the store that may be open at once. */
  connectionsMax: number
  /** PEM of a private certificate authority, trusted instead of the public ones. */
  ca?: string | undefined
}
