import { limits } from '../../limits.ts'
import { createSemaphore } from '../../semaphore.ts'
import { ObjectStoreError } from '../object-store.ts'

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
  /** Shared by everything that is made of this; default: `connectionsMax` for each. */
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

/**
 * The cap on connections to the store: Hetzner allows about 256 per source address, so a replica must not open
 * more than its share however many clients it has. Bun keeps idle connections and reuses them first, so the open
 * ones, idle ones included, stay below the cap as well (measured).
 */
export interface S3Connections {
  /**
   * Waits for a free connection.
   *
   * @throws {ObjectStoreError} `unavailable` if none became free in time; the signal's reason if it aborts.
   */
  acquire(operation: string, signal: AbortSignal | undefined): Promise<ReleaseConnection>

  /** Holds a connection while `work` runs; throws as `acquire` does, and what `work` throws. */
  use<T>(operation: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>
}

/**
 * Gives the connection back; calling it again does nothing. `abandoned`: the answer was not read to its end, so
 * the connection is being closed and cannot be reused.
 */
export type ReleaseConnection = (abandoned?: 'abandoned') => void

/** Returns a cap of `connectionsMax` connections, to be shared by all clients of the same store. */
export function createS3Connections(connectionsMax: number): S3Connections {
  const semaphore = createSemaphore(connectionsMax)

  async function acquire(operation: string, signal: AbortSignal | undefined): Promise<ReleaseConnection> {
    const release = await semaphore.acquire(1, { waitSecondsMax: limits.connectionWaitSecondsMax, signal })
    if (!release) throw new ObjectStoreError('unavailable', operation, 'NoFreeConnection')
    return (abandoned) => {
      if (abandoned) setTimeout(release, limits.connectionCloseMilliseconds)
      else release()
    }
  }

  return {
    acquire,

    async use(operation, signal, work) {
      const release = await acquire(operation, signal)
      try {
        const result = await work()
        release()
        return result
      } catch (error) {
        release('abandoned')
        throw error
      }
    },
  }
}
