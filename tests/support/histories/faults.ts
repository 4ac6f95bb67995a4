import type { Random } from '../seed.ts'
import type { Replica, Replicas } from './replicas.ts'
import { streams, toxics } from './toxics.ts'

/** A store that goes away for a while and comes back as it was. */
export interface Outage {
  name: string
  begin(): Promise<void>
  end(): Promise<void>
}

/** Faults that happen one after the other while a history runs. */
export interface Faults {
  /** How often each of them has happened. */
  counts: Readonly<Record<string, number>>
  /** When each of them began, on the clock of the histories, and at which replica: tells why a request was not answered. */
  began: readonly string[]
  /** Lets the current one end; all replicas and the store work again then. */
  stop(): Promise<void>
}

const faultSecondsMax = 3
const pauseSecondsMax = 2
const noticedAfterMilliseconds = 500

/**
 * Begins to make things go wrong: one fault after the other, with pauses, each at one replica or at the store.
 *
 * @param options.outages faults of the store. @param options.longPauseSeconds one replica after the
 * other is frozen for this long, next to the other faults. Never the same one twice in a row: a request that hangs in it
 * would wait for both.
 */
export function startFaults(
  { all }: Replicas,
  random: Random,
  { outages, longPauseSeconds }: { outages: readonly Outage[]; longPauseSeconds: number },
): Faults {
  const counts: Record<string, number> = {}
  const began: string[] = []
  const stopping = new AbortController()
  const kinds = [...Object.keys(toxics), 'down', 'kill', 'freeze', ...outages.map(({ name }) => name)]
  const coming = ['long freeze']
  let others = [...all]
  let longFrozen: Promise<void> | null = null
  let longFreezes = 0

  async function happen(kind: string): Promise<void> {
    const replica = kind === 'long freeze' ? (all[longFreezes % all.length] as Replica) : random.pick(others)
    began.push(`${Math.round(performance.now())} ${kind} of ${replica.name}`)
    const lasting = () => waited(200 + random.below(faultSecondsMax * 1000), stopping.signal)
    const outage = outages.find(({ name }) => name === kind)
    if (outage) {
      await outage.begin()
      await lasting()
      return outage.end()
    }
    if (kind === 'long freeze') {
      longFreezes += 1
      others = all.filter((other) => other !== replica)
      longFrozen = longFreeze(replica, () => waited(longPauseSeconds * 1000, stopping.signal)).then(() => {
        others = [...all]
        longFrozen = null
      })
      return
    }
    if (kind === 'kill') return killed(replica, lasting)
    if (kind === 'freeze') return frozen(replica, lasting)
    if (kind === 'down') return down(replica, lasting)
    const toxic = toxics[kind] as (typeof toxics)[string]
    await replica.proxy.addToxic({ ...toxic, stream: random.pick(streams) })
    await lasting()
    await replica.proxy.removeToxics()
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Each kind comes before any comes again.
      if (coming.length === 0) coming.push(...shuffled([...kinds, 'long freeze'], random))
      const kind = coming.pop() as string
      if (kind === 'long freeze' && longFrozen) continue
      await happen(kind)
      counts[kind] = (counts[kind] ?? 0) + 1
      await waited(random.below(pauseSecondsMax * 1000), stopping.signal)
    }
    await longFrozen
  }

  const running = run()
  return {
    counts,
    began,
    stop() {
      stopping.abort()
      return running
    },
  }
}

async function killed(replica: Replica, lasting: () => Promise<void>): Promise<void> {
  await replica.kill()
  await lasting()
  await replica.start()
}

async function frozen({ service }: Replica, lasting: () => Promise<void>): Promise<void> {
  service().process.pause()
  await lasting()
  service().process.resume()
}

async function down({ proxy }: Replica, lasting: () => Promise<void>): Promise<void> {
  await proxy.setEnabled(false)
  await lasting()
  await proxy.setEnabled(true)
}

/**
 * Freezes a replica for longer than anything that it has begun is waited for by others. A load balancer notices soon; what
 * it was asked before that hangs.
 */
async function longFreeze(replica: Replica, lasting: () => Promise<void>): Promise<void> {
  const { process } = replica.service()
  process.pause()
  await Bun.sleep(noticedAfterMilliseconds)
  replica.inRotation = false
  await lasting()
  process.resume()
  replica.inRotation = true
}

/** Waits, but not after the signal. */
async function waited(milliseconds: number, signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<void>()
  const stop = () => stopped.resolve()
  signal.addEventListener('abort', stop)
  await Promise.race([Bun.sleep(milliseconds), stopped.promise])
  signal.removeEventListener('abort', stop)
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items]
  return Array.from(items, () => rest.splice(random.below(rest.length), 1)[0] as T)
}
