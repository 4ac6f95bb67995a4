import { createFairShares, type FairShares, type Share, type WaitingRequest } from '../../fair-shares.ts'
import { limits } from '../../limits.ts'
import { ObjectStoreError } from '../object-store.ts'
import { createPace } from './pace.ts'
import { createRetries, type Retries } from './retries.ts'

/**
 * The cap on connections to the store: Hetzner allows about 256 per source address, so a replica must not open
 * more than its share however many clients it has. Bun keeps idle connections and reuses them first, so the open
 * ones, idle ones included, stay below the cap as well (measured).
 */
export interface S3Connections {
  /**
   * Waits for a free connection.
   *
   * @throws {ObjectStoreError} `busy` if none became free in time; the signal's reason if it aborts.
   */
  acquire(wanted: WantedConnection): Promise<HeldConnection>

  /** Holds a connection while `work` runs; throws as `acquire` does, and what `work` throws. */
  use<T>(wanted: WantedConnection, work: () => Promise<T>): Promise<T>

  /** Repeats calls over these connections. */
  retries: Retries
}

/** What a connection is needed for. */
export interface WantedConnection {
  /** Method of the port, for errors. */
  operation: string
  /** Which object it is about, or the beginning of such keys; `null` for the bucket itself. */
  key: string | null
  /** A body that is read or written at the pace of someone else; default: none. */
  body?: 'read' | 'written' | undefined
  signal: AbortSignal | undefined
}

export interface HeldConnection {
  release: ReleaseConnection
  /**
   * Lets the connection be taken away from a body that is read from it, so that others are served.
   *
   * @param isPassedOn no one here watches the body; default: it is read here, and has not begun.
   */
  lend(giveUp: () => void, isPassedOn?: boolean): LentConnection
  /** Whether its body may be passed on unwatched: half of the reads stay for those that can pause and continue. */
  mayPassOn(): boolean
}

/**
 * Gives the connection back; calling it again does nothing. `abandoned`: the answer was not read to its end, so
 * the connection is being closed and cannot be reused.
 */
export type ReleaseConnection = (abandoned?: 'abandoned') => void

/** A connection over which a body is read, as its reader keeps it up to date. */
export interface LentConnection {
  /** True for a body that no one here watches: it cannot be continued, so it is the last to be given up. */
  isPassedOn: boolean
  /** True while nothing is read from the store, because the reader has enough for now. */
  isPaused: boolean
  /** When the last bytes came, by `performance.now()`. */
  movedAt: number
}

/** On whose behalf a key is used, and what kind of object is under it. */
export interface KeyOwner {
  tenant: string
  /** `version`: what clients read and write at their own pace; `staged`: what the service itself moves. */
  holds: 'version' | 'staged' | 'other'
}

export type OwnerOf = (key: string) => KeyOwner

/** The pools that one maximum is divided into. */
export interface DividedConnections {
  /** For all that is done on behalf of tenants, which have fair shares of it. */
  tenants: S3Connections
  /** For health checks and the probe, whatever tenants do. */
  reserved: S3Connections
}

/** How many connections each kind of use may have at once. */
interface Sizes {
  /** Calls that end by themselves, such as HEAD. */
  calls: number
  /** Bodies read and bodies written are apart: a promotion holds one of each, and could otherwise wait for itself. */
  read: number
  written: number
}

const oneOwner: OwnerOf = () => ({ tenant: '', holds: 'other' })

/** Returns a cap of `connectionsMax` connections, to be shared by all clients of the same store. */
export function createS3Connections(connectionsMax: number): S3Connections {
  const undivided = { calls: connectionsMax, read: 0, written: 0 }
  return connectionsOf(undivided, oneOwner)
}

/**
 * Divides `connectionsMax` connections, at least eight: an eighth for health checks and the probe (which races with
 * eight writers), and of the rest a quarter for calls, a quarter for bodies that are written, and half for bodies that
 * are read.
 *
 * Decision: the key of a call says on whose behalf it is made, and not an option of the port. Every call about a
 * document has a key with its tenant in it, so none can forget to name it, and decorators stay as they are. Revisit when a
 * key without a tenant is needed while a client waits.
 */
export function divideS3Connections(connectionsMax: number, ownerOf: OwnerOf): DividedConnections {
  const reserved = Math.min(Math.max(Math.floor(connectionsMax / 8), 2), 8)
  const rest = connectionsMax - reserved
  const quarter = Math.ceil(rest / 4)
  return {
    tenants: connectionsOf({ calls: quarter, written: quarter, read: rest - 2 * quarter }, ownerOf),
    // A health check asks for the bucket alone, and does not wait for the probe.
    reserved: connectionsOf({ calls: reserved, read: 0, written: 0 }, (key) => ({
      tenant: key === '' ? 'health' : 'probe',
      holds: 'other',
    })),
  }
}

function connectionsOf(sizes: Sizes, ownerOf: OwnerOf): S3Connections {
  const lent = new Map<LentConnection, { tenant: string; giveUp: () => void }>()
  const lanes = {
    calls: createFairShares({ permitsMax: sizes.calls }),
    read: createFairShares({
      permitsMax: sizes.read,
      onWait: giveSlowestUp,
      waitNoticeSeconds: limits.connectionNoticeSeconds,
    }),
    // A body on its way to the store cannot be continued later, so room is left for others from the beginning.
    written: createFairShares({ permitsMax: sizes.written, leavesRoom: true }),
  }
  // Promotions wait for a second connection, and leave half of the reads to downloads meanwhile.
  const staged = createFairShares({ permitsMax: Math.ceil(sizes.read / 2) })
  const pace = createPace(sizes.calls + sizes.read + sizes.written, (share) => {
    for (const lane of ['calls', 'read', 'written'] as const) {
      lanes[lane].resize(sizes[lane] === 0 ? 0 : Math.max(1, Math.floor(sizes[lane] * share)))
    }
  })

  /**
   * Takes a connection away from the body that has not moved for longest: of the tenant that holds what belongs to the
   * one that waits, or otherwise of those whose readers have paused. It continues later by a read of the rest, unless it
   * was passed on.
   */
  function giveSlowestUp({ holdsMost, isStarved }: WaitingRequest): void {
    const now = performance.now()
    const hasPaused = ({ isPaused, movedAt }: LentConnection) =>
      isPaused && now - movedAt > limits.pausedBodySeconds * 1000
    const candidates = [...lent].filter(([connection, { tenant }]) =>
      isStarved ? tenant === holdsMost : hasPaused(connection),
    )
    const [slowest] = candidates.sort(
      ([one], [other]) => Number(one.isPassedOn) - Number(other.isPassedOn) || one.movedAt - other.movedAt,
    )
    slowest?.[1].giveUp()
  }

  /** Returns what has to be had, in this order. */
  function lanesFor({ body }: WantedConnection, { holds }: KeyOwner): FairShares[] {
    if (!body || holds === 'other') return [lanes.calls]
    return body === 'read' && holds === 'staged' ? [staged, lanes.read] : [lanes[body]]
  }

  async function acquire(wanted: WantedConnection): Promise<HeldConnection> {
    const { operation, signal } = wanted
    const owner = ownerOf(wanted.key ?? '')
    const { tenant } = owner
    const isUpload = wanted.body === 'written' || (wanted.body === 'read' && owner.holds === 'staged')
    const waitSecondsMax = isUpload ? limits.uploadWaitSecondsMax : limits.connectionWaitSecondsMax
    const shares: Share[] = []
    const releaseAll = () => {
      for (const share of shares) share.release()
    }
    try {
      for (const lane of lanesFor(wanted, owner)) {
        const share = await lane.acquire(1, { tenant, waitSecondsMax, signal })
        if (!share) throw new ObjectStoreError('busy', operation, 'NoFreeConnection')
        shares.push(share)
      }
    } catch (error) {
      releaseAll()
      throw error
    }
    let ownLent: LentConnection | undefined
    return {
      release(abandoned) {
        if (ownLent) lent.delete(ownLent)
        if (abandoned) setTimeout(releaseAll, limits.connectionCloseMilliseconds)
        else releaseAll()
      },
      lend(giveUp, isPassedOn = false) {
        ownLent = { isPaused: !isPassedOn, isPassedOn, movedAt: performance.now() }
        // What the service itself moves cannot continue later.
        if (owner.holds === 'version') lent.set(ownLent, { tenant, giveUp })
        return ownLent
      },
      mayPassOn: () =>
        owner.holds === 'version' &&
        2 * [...lent.keys()].filter(({ isPassedOn }) => isPassedOn).length < sizes.read,
    }
  }

  return {
    acquire,

    async use(wanted, work) {
      const { release } = await acquire(wanted)
      try {
        const result = await work()
        release()
        return result
      } catch (error) {
        release('abandoned')
        throw error
      }
    },

    retries: createRetries(pace),
  }
}
