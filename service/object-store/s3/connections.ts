import { limits } from '../../limits.ts'
import { createSemaphore } from '../../semaphore.ts'
import { ObjectStoreError } from '../object-store.ts'

/**
 * The cap on connections to the store: Hetzner allows about 256 per source address, so a replica must not
 * open more than its share however many clients it has. Bun keeps idle ones and takes them first, so those that
 * are open, idle ones included, stay below the cap as well (measured).
 */
export interface S3Connections {
  /**
   * @throws {ObjectStoreError} `unavailable` if none became free in time; the signal's reason if it aborts.
   */
  acquire(operation: string, signal: AbortSignal | undefined): Promise<ReleaseConnection>

  /** Holds a connection while `work` runs; throws as `acquire` does, and what `work` throws. */
  use<T>(operation: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>
}

/**
 * Gives the connection back; calling it again does nothing. `abandoned`: its answer was not read to the end, so
 * it is being closed and not used again.
 */
export type ReleaseConnection = (abandoned?: 'abandoned') => void

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
