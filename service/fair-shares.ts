/**
 * A bounded number of permits (bytes of memory, connections, requests, …) that the tenants of this process share. Of those
 * that wait, the tenant that holds least comes first, so no tenant that asks for much pushes another one back.
 *
 * Decision: written here, since no library found shares permits by tenant, lets holders grow, and takes a signal.
 */
export interface FairShares {
  /**
   * Waits for permits. Within a tenant: first come, first served. Among tenants: the one that holds least. While a tenant
   * that would stay within its share waits, no other one gets more than its own share; a tenant that no one competes
   * with may have everything.
   *
   * @param permits at most what there are.
   * @returns the holder, or `null` if the permits were not available within `waitSecondsMax`.
   * @throws the signal's reason if it aborts while waiting; {RangeError} for more permits than there are.
   */
  acquire(permits: number, options: ShareOptions): Promise<Share | null>

  /**
   * Changes how many permits there are. Those that are held already stay held, also if they are more than that; a
   * request for more than there are waits until there are enough.
   */
  resize(permitsMax: number): void

  /** Returns whether a tenant would hold more than its share with so many more permits. */
  exceedsShare(tenant: string, permits: number): boolean
}

/** On whose behalf permits are asked for, and for how long they are waited for. */
export interface ShareOptions {
  /** Whatever the shares are counted by. */
  tenant: string
  waitSecondsMax: number
  signal?: AbortSignal | undefined
}

/** Permits that are held until they are released. */
export interface Share {
  /**
   * Waits for further permits. The oldest holder never waits, so holders that all wait to grow cannot block each other.
   *
   * @returns whether they were available in time; if not, what is held stays held.
   * @throws the signal's reason; {RangeError} if more than `growthMax` would be held.
   */
  grow(permits: number, options: Omit<ShareOptions, 'tenant'>): Promise<boolean>
  /** Returns all permits; calling it again does nothing. */
  release(): void
}

export interface FairSharesOptions {
  permitsMax: number
  /** What one tenant holds at most while another one waits; default: a quarter. One request may be larger if nothing else is held. */
  shareMax?: number
  /** What one holder may grow to. So many permits are kept for the oldest one. Default: holders do not grow. */
  growthMax?: number
  /** What one tenant holds at most, whether another one waits or not; default: everything. */
  tenantMax?: number
  /**
   * Of permits that may be held for long: a tenant gets more only if at least as many stay free as it holds. So a lone
   * tenant holds about half of them, two a third each, and one that holds nothing finds some. Default: no.
   */
  leavesRoom?: boolean
  /** Called when a request has to wait: holders may be asked to give something back. */
  onWait?: (waiting: WaitingRequest) => void
  /** Seconds before `onWait` is called, and again and again while the request waits; default: at once, and never again. */
  waitNoticeSeconds?: number
}

/** A request that waits, and who is in its way. */
export interface WaitingRequest {
  tenant: string
  /** The tenant that holds most, which may be the same one. */
  holdsMost: string
  /**
   * Whether `holdsMost` takes what belongs to `tenant`: it holds more than its share, or would still hold no less after
   * giving up what is asked for, and `tenant` stays within its share.
   */
  isStarved: boolean
}

interface Holder {
  tenant: string
  /** When it asked first, as a number that counts up: the order within a tenant. */
  turn: number
  held: number
}

interface Waiting {
  holder: Holder
  permits: number
  grant(): void
}

/** Returns permits for tenants to share. */
export function createFairShares(options: FairSharesOptions): FairShares {
  const { permitsMax, shareMax = Math.ceil(permitsMax / 4), growthMax = 0, leavesRoom = false } = options
  const { onWait, waitNoticeSeconds, tenantMax = permitsMax } = options
  if (growthMax > permitsMax)
    throw new RangeError(`no holder can grow to ${growthMax} of ${permitsMax} permits`)
  let size = permitsMax
  /** Negative after there became fewer than are held. */
  let free = permitsMax
  let nextTurn = 0
  /** In the order in which they began to hold: the first is the oldest. */
  const holders = new Set<Holder>()
  const heldBy = new Map<string, number>()
  /** Of each tenant that waits, in the order of turns. */
  const waitingOf = new Map<string, Waiting[]>()

  const held = (tenant: string) => heldBy.get(tenant) ?? 0
  /** A request that is larger than a share is fair if its tenant holds nothing. */
  const exceedsShare = (tenant: string, permits: number) =>
    held(tenant) > 0 && held(tenant) + permits > shareMax
  const wouldExceed = ({ holder, permits }: Waiting) => exceedsShare(holder.tenant, permits)

  function move(holder: Holder, permits: number): void {
    free -= permits
    holder.held += permits
    const total = held(holder.tenant) + permits
    if (total === 0) heldBy.delete(holder.tenant)
    else heldBy.set(holder.tenant, total)
  }

  const isAllowed = ({ holder, permits }: Pick<Waiting, 'holder' | 'permits'>) =>
    held(holder.tenant) + permits <= tenantMax

  /** Whether the permits are there, and enough stays for other tenants and for the oldest holder to grow. */
  function fits({ holder, permits }: Pick<Waiting, 'holder' | 'permits'>): boolean {
    if (!isAllowed({ holder, permits })) return false
    const [oldest = holder] = holders
    if (oldest === holder) return permits <= free
    const left = Math.max(growthMax - oldest.held, leavesRoom ? held(holder.tenant) : 0)
    return permits + left <= free
  }

  /** The one to be served next: of the tenant that holds least and may have more, those within their share first. */
  function next(): Waiting | undefined {
    let best: Waiting | undefined
    for (const [first] of waitingOf.values()) {
      if (first && isAllowed(first) && (best === undefined || precedes(first, best))) best = first
    }
    return best
  }

  function precedes(one: Waiting, other: Waiting): boolean {
    const [exceeds, otherExceeds] = [wouldExceed(one), wouldExceed(other)]
    if (exceeds !== otherExceeds) return otherExceeds
    const difference = held(one.holder.tenant) - held(other.holder.tenant)
    return difference === 0 ? one.holder.turn < other.holder.turn : difference < 0
  }

  function serve(): void {
    const [oldest] = holders
    const growing = oldest && waitingOf.get(oldest.tenant)?.find(({ holder }) => holder === oldest)
    growing?.grant()
    for (let first = next(); first && fits(first); first = next()) first.grant()
  }

  function leaveLine(entry: Waiting): void {
    const { tenant } = entry.holder
    const line = waitingOf.get(tenant) ?? []
    const at = line.indexOf(entry)
    if (at >= 0) line.splice(at, 1)
    if (line.length === 0) waitingOf.delete(tenant)
  }

  function isInLine(entry: Waiting): boolean {
    return waitingOf.get(entry.holder.tenant)?.includes(entry) ?? false
  }

  function joinLine(entry: Waiting): void {
    const { tenant, turn } = entry.holder
    const line = waitingOf.get(tenant) ?? []
    const last = line.at(-1)
    line.push(entry)
    // Only holders that grow come out of turn, and lines may be long.
    if (last && last.holder.turn > turn) line.sort((a, b) => a.holder.turn - b.holder.turn)
    waitingOf.set(tenant, line)
  }

  function reportWait({ holder: { tenant }, permits }: Waiting): void {
    const [most] = [...heldBy].sort((a, b) => b[1] - a[1])
    if (!most) return
    const [holdsMost, heldMost] = most
    const isOver = heldMost > shareMax || heldMost - permits >= held(tenant) + permits
    const isFair = held(tenant) === 0 || held(tenant) + permits <= shareMax
    onWait?.({ tenant, holdsMost, isStarved: holdsMost !== tenant && isOver && isFair })
  }

  function wait(holder: Holder, permits: number, { waitSecondsMax, signal }: Omit<ShareOptions, 'tenant'>) {
    return new Promise<boolean>((resolve, reject) => {
      const settle = (answer: () => void) => {
        clearTimeout(timer)
        clearInterval(notices)
        signal?.removeEventListener('abort', onAbort)
        leaveLine(entry)
        answer()
      }
      const entry: Waiting = {
        holder,
        permits,
        grant: () =>
          settle(() => {
            move(holder, permits)
            holders.add(holder)
            resolve(true)
          }),
      }
      const giveUp = (answer: () => void) => {
        settle(answer)
        // Those behind one that gave up may be served now.
        serve()
      }
      const onAbort = () => giveUp(() => reject(signal?.reason))
      const timer = setTimeout(() => giveUp(() => resolve(false)), waitSecondsMax * 1000)
      const notices = waitNoticeSeconds && setInterval(() => reportWait(entry), waitNoticeSeconds * 1000)
      signal?.addEventListener('abort', onAbort, { once: true })
      joinLine(entry)
      // Those who have waited may be over their share, or ask for more than is free.
      serve()
      if (!waitNoticeSeconds && isInLine(entry)) reportWait(entry)
    })
  }

  async function take(
    holder: Holder,
    permits: number,
    options: Omit<ShareOptions, 'tenant'>,
  ): Promise<boolean> {
    options.signal?.throwIfAborted()
    const isOldest = holders.values().next().value === holder
    if (!isOldest && (waitingOf.size > 0 || !fits({ holder, permits }))) return wait(holder, permits, options)
    move(holder, permits)
    holders.add(holder)
    return true
  }

  return {
    exceedsShare,
    async acquire(permits, options) {
      const most = Math.min(permitsMax, tenantMax)
      if (permits > most) throw new RangeError(`${permits} permits asked for, there are ${most}`)
      const holder: Holder = { tenant: options.tenant, turn: nextTurn++, held: 0 }
      if (!(await take(holder, permits, options))) return null
      return {
        async grow(more, waiting) {
          if (holder.held + more > growthMax) throw new RangeError(`holders grow to ${growthMax} permits`)
          if (!holders.has(holder)) throw new Error('released permits cannot grow')
          return take(holder, more, waiting)
        },
        release() {
          if (!holders.delete(holder)) return
          move(holder, -holder.held)
          serve()
        },
      }
    },

    resize(permits) {
      free += permits - size
      size = permits
      serve()
    },
  }
}
