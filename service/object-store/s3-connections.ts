import { limits } from '../limits.ts'
import { createSemaphore } from '../semaphore.ts'
import { ObjectStoreError } from './object-store.ts'

/**
 * The cap on connections to the store: Hetzner allows about 256 per source address, so a replica must not
 * open more than its share however many clients it has.
 */
export interface S3Connections {
  /**
   * @returns the function that gives the connection back.
   * @throws {ObjectStoreError} `unavailable` if none became free in time; the signal's reason if it aborts.
   */
  acquire(operation: string, signal: AbortSignal | undefined): Promise<() => void>
}

export function createS3Connections(connectionsMax: number): S3Connections {
  const semaphore = createSemaphore(connectionsMax)
  return {
    async acquire(operation, signal) {
      const release = await semaphore.acquire(1, { waitSecondsMax: limits.connectionWaitSecondsMax, signal })
      if (!release) throw new ObjectStoreError('unavailable', operation, 'NoFreeConnection')
      return release
    },
  }
}
