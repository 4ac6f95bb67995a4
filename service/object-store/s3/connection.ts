import { limits } from '../../limits.ts'
import type { S3Connections } from './connections.ts'

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
  /** Maximum number of open connections to the store. */
  connectionsMax: number
  /** Shared by everything that is made of this; default: `connectionsMax` for each, not divided. */
  connections?: S3Connections | undefined
  /** Default: those of `limits.ts`. */
  deadlines?: StoreDeadlines | undefined
  /** PEM of a private certificate authority, trusted instead of the public ones. */
  ca?: string | undefined
  /** URL of a proxy that tunnels to the endpoint; none by default, whatever the environment names. */
  proxy?: string | undefined
}

/** How long the store may take before a call has failed. */
export interface StoreDeadlines {
  /** To answer a small call, or to send the next bytes of a body that is being read. */
  answerSecondsMax: number
  /** To take a part, join parts, or take the next bytes of a streamed body. */
  transferSecondsMax: number
}

/** Returns the connection's own deadlines, or those of `limits.ts`. */
export function deadlinesOf({ deadlines }: S3Connection): StoreDeadlines {
  return (
    deadlines ?? {
      answerSecondsMax: limits.storeAnswerSecondsMax,
      transferSecondsMax: limits.storeTransferSecondsMax,
    }
  )
}
