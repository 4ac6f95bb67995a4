import { createFairShares, type FairShares, type Share } from '../fair-shares.ts'
import { limits } from '../limits.ts'
import { DocumentError } from './document-error.ts'

/** What all uploads of a replica share, each tenant its part of it. */
export interface UploadBudget {
  /** Memory for the bytes of a body, as they arrive. To be released. @param size declared bytes */
  memory(sender: Sender, size: number | undefined): UploadMemory
  /**
   * Waits for leave to promote staged bytes, which holds two connections to the store, and returns the function that
   * ends it.
   *
   * @throws {DocumentError} `busy`
   */
  promotion(promotion: { tenant: string; size: number; signal: AbortSignal }): Promise<() => void>
}

/** Who sends a body. One that is slow has to make room when another tenant waits. */
export interface Sender {
  tenant: string
  /** Aborts when the body is given up. */
  signal: AbortSignal
  /** How fast it was in the last second, in bytes per second. */
  rate(): number
  giveUp(reason: DocumentError): void
}

/** Memory of one upload. */
export interface UploadMemory {
  /** Waits until the upload may hold so many bytes in all. @throws {DocumentError} `busy` */
  hold(bytes: number): Promise<void>
  /** Calling it again does nothing. */
  release(): void
}

/** Memory for buffers of one kind, and the senders that hold some of it. */
interface Lane {
  shares: FairShares
  senders: Set<Sender>
}

/** Returns the budget that `limits` allow. One per process. */
export function createUploadBudget(): UploadBudget {
  const { smallBufferBytesMax, smallBuffersBytesMax, buffersBytesMax, bufferedBytesMax } = limits
  // Bodies that may be small have memory of their own, which no large one can take.
  const small = createLane(smallBuffersBytesMax, smallBufferBytesMax)
  const large = createLane(buffersBytesMax - smallBuffersBytesMax, bufferedBytesMax)
  const promotions = createFairShares({ permitsMax: limits.promotionsMax })
  // One place is never taken by a large one, and one tenant's large ones leave a place to those of others.
  const { largePromotionsPerTenantMax: tenantMax } = limits
  const largePromotions = createFairShares({ permitsMax: limits.promotionsMax - 1, tenantMax })

  return {
    memory(sender, size) {
      let lane = size === undefined || size <= smallBufferBytesMax ? small : large
      let share: Share | undefined
      let held = 0

      function release(): void {
        lane.senders.delete(sender)
        share?.release()
        share = undefined
      }

      async function move(to: Lane, bytes: number): Promise<void> {
        const next = await admit(to.shares, bytes, sender)
        release()
        share = next
        lane = to
        lane.senders.add(sender)
      }

      return {
        async hold(bytes) {
          if (bytes <= held) return
          if (lane === small && bytes > smallBufferBytesMax) await move(large, bytes)
          else if (!share) await move(lane, bytes)
          else if (!(await share.grow(bytes - held, waiting(sender.signal)))) throw tooMany()
          held = bytes
        },
        release,
      }
    },

    async promotion({ tenant, size, signal }) {
      const asked = { tenant, signal }
      const isLarge = size > limits.smallPromotionBytesMax
      const wide = isLarge ? await admit(largePromotions, 1, asked) : undefined
      try {
        const place = await admit(promotions, 1, asked)
        return () => {
          place.release()
          wide?.release()
        }
      } catch (error) {
        wide?.release()
        throw error
      }
    },
  }
}

function createLane(permitsMax: number, growthMax: number): Lane {
  const senders = new Set<Sender>()

  /** Makes the slowest upload of a tenant end, which would otherwise hold its memory for as long as it likes. */
  function makeRoom(tenant: string): void {
    const slow = [...senders].filter(
      (sender) => sender.tenant === tenant && sender.rate() < limits.yieldingBytesPerSecond,
    )
    slow.sort((a, b) => a.rate() - b.rate())[0]?.giveUp(madeRoom())
  }
  const shares = createFairShares({
    permitsMax,
    growthMax,
    waitNoticeSeconds: limits.uploadNoticeSeconds,
    onWait({ isStarved, holdsMost }) {
      if (isStarved) makeRoom(holdsMost)
    },
  })
  return { senders, shares }
}

const waiting = (signal: AbortSignal) => ({ waitSecondsMax: limits.uploadWaitSecondsMax, signal })

async function admit(
  shares: FairShares,
  permits: number,
  { tenant, signal }: Pick<Sender, 'tenant' | 'signal'>,
): Promise<Share> {
  const share = await shares.acquire(permits, { tenant, ...waiting(signal) })
  if (!share) throw tooMany()
  return share
}

function tooMany(): DocumentError {
  return new DocumentError('busy', 'Too many uploads are under way. Try again later.')
}

function madeRoom(): DocumentError {
  return new DocumentError(
    'busy',
    'This upload was slow, and its tenant held more than its share while another one waited. Send it again.',
  )
}
