import { limits } from '../limits.ts'
import { createSemaphore, type Semaphore } from '../semaphore.ts'
import { DocumentError } from './document-error.ts'

/** What all uploads of a replica share. Each method waits for its turn and returns the function that ends it. */
export interface UploadBudget {
  /** Memory for a buffer of so many bytes. @throws {DocumentError} `busy` */
  buffer(bytes: number, signal: AbortSignal): Promise<() => void>
  /** Leave to promote staged bytes, which holds two connections to the store. @throws {DocumentError} `busy` */
  promotion(signal: AbortSignal): Promise<() => void>
}

/** Returns the budget that `limits` allow. One per process. */
export function createUploadBudget(): UploadBudget {
  const buffers = createSemaphore(limits.buffersBytesMax)
  const promotions = createSemaphore(limits.promotionsMax)

  async function admit(semaphore: Semaphore, permits: number, signal: AbortSignal): Promise<() => void> {
    const release = await semaphore.acquire(permits, { waitSecondsMax: limits.uploadWaitSecondsMax, signal })
    if (!release) throw new DocumentError('busy', 'Too many uploads are under way. Try again later.')
    return release
  }

  return {
    buffer: (bytes, signal) => admit(buffers, bytes, signal),
    promotion: (signal) => admit(promotions, 1, signal),
  }
}
