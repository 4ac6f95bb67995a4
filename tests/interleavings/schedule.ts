import type { ObjectStore } from '../../service/object-store/object-store.ts'
import type { StoreCapabilities } from '../../service/object-store/store-capabilities.ts'
import type { VersionRef } from '../../service/wire/names.ts'
import { brokenPromises } from '../support/model/at-rest.ts'
import type { Entry } from '../support/model/history.ts'
import { describeEntry } from '../support/model/linearizability.ts'
import { minioCapabilities } from '../support/stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../support/stores/memory-object-store.ts'
import type { Action, Choose } from './actions.ts'
import { operationOf, type Plan, type Wish } from './plan.ts'
import { createReplica, type IssuedTicket, type Replica } from './replica.ts'
import { withLabels } from './samples.ts'
import { createScheduler, settled } from './scheduler.ts'

/** How one schedule of a plan went. */
export interface Run {
  /** What is wrong, as sentences; empty if all promises were kept. */
  broken: string[]
  /** One line per step, then one per operation. */
  log: string[]
  /** The schedule was given up, because it differs from another one in nothing. */
  isRepetition: boolean
}

export interface RunOptions {
  capabilities?: StoreCapabilities
  /** Takes a defence away from the store that all replicas share; default: none. */
  weaken?: (store: ObjectStore) => ObjectStore
}

/** Steps after which a schedule that does not end is reported. */
const stepsMax = 2000
const hour = 60 * 60 * 1000

/** Runs one schedule of a plan: `choose` decides what happens next until all operations have ended. */
export async function runSchedule(
  plan: Plan,
  choose: Choose,
  { capabilities = minioCapabilities, weaken = (store) => store }: RunOptions = {},
): Promise<Run> {
  let now = Date.parse('2026-03-01T00:00:00Z')
  const advance = (milliseconds: number) => {
    now += milliseconds
  }
  const memory = refusingEarly(createMemoryObjectStore({ now: () => new Date(now), delay: async () => {} }))
  const store = weaken(memory)
  const scheduler = createScheduler(advance)
  const broken: string[] = []
  const onLost = ({ digest }: VersionRef) => broken.push(`the sweeper found ${digest} lost`)
  const start = (replica: number) =>
    createReplica(scheduler.of(replica, store), {
      capabilities,
      onLost,
      sleep: (milliseconds) => scheduler.sleep(replica, milliseconds),
    })
  const owner = createReplica(memory, {
    capabilities,
    onLost,
    sleep: async (milliseconds) => advance(milliseconds),
  })
  const replicas = Array.from({ length: plan.replicas }, (_, replica) => start(replica))
  const history: Entry[] = []
  const log: string[] = []
  const tickets = await prepare(plan, owner, history)
  const etags = await etagsBefore(plan, owner)
  let time = history.length
  let hasEnded = false
  const begun = new Set<number>()
  const running = new Map<number, Entry>()
  const firstOwn = history.length

  function begin(index: number, wish: Wish): void {
    begun.add(index)
    if (wish.kind === 'wait') {
      advance(wish.seconds * 1000)
      return
    }
    const by = `operation ${index}`
    const operation = operationOf(wish, by, etags)
    const entry: Entry = { operation, result: null, start: time, end: Infinity }
    history.push(entry)
    running.set(index, entry)
    const replica = replicas[index % plan.replicas] as Replica
    const end = (result: Entry['result']) => {
      // A crashed process answers no one.
      if (!running.delete(index)) return
      entry.result = result
      // What was not answered may still happen, if calls can be late or marks are left behind.
      const isOver = result !== null || !(scheduler.hasLateCalls || isRemoval(wish))
      entry.end = isOver ? time : Infinity
      entry.givenUp = time
      hasEnded = true
    }
    scheduler
      .run(index, () => replica.run(operation, by, tickets))
      .then(end, (error: unknown) => {
        if (running.has(index)) broken.push(`${wish.kind} failed with ${Bun.inspect(error)}`)
        end(null)
      })
  }

  function startActions(): Action[] {
    const { inTurnFrom = plan.operations.length } = plan
    return plan.operations.flatMap((wish, index): Action[] => {
      const waits = index >= inTurnFrom && (running.size > 0 || begun.size < index)
      if (begun.has(index) || waits) return []
      const touched = { key: null, isWrite: false, isListing: false, replica: index % plan.replicas }
      const label = `replica ${touched.replica}, operation ${index}: ${wish.kind} begins`
      return [{ kind: 'start', label, rank: index * 1000, ...touched, act: () => begin(index, wish) }]
    })
  }

  function crashActions(): Action[] {
    const busy = new Set([...running.keys()].map((index) => index % plan.replicas))
    return [...busy].flatMap((replica) =>
      [false, true].map((arrive): Action => {
        const act = () => {
          scheduler.crash(replica, arrive)
          for (const [index, entry] of running) {
            if (index % plan.replicas !== replica) continue
            entry.givenUp = time
            running.delete(index)
          }
          replicas[replica] = start(replica)
        }
        const label = `replica ${replica} crashes${arrive ? ', its calls arrive later' : ''}`
        return { kind: 'crash', label, rank: 0, replica, key: null, isWrite: false, isListing: false, act }
      }),
    )
  }

  const tick = (seconds: number): Action => ({
    ...{ kind: 'tick', label: `${seconds} s pass`, rank: 0, replica: -1, key: null },
    ...{ isWrite: false, isListing: false, act: () => advance(seconds * 1000) },
  })

  let last: Action | null = null
  let isRepetition = false
  for (let step = 0; ; step += 1) {
    const starts = startActions()
    const waiting = scheduler.actions()
    if (starts.length === 0 && waiting.length === 0) {
      if (running.size > 0) broken.push(`nothing can happen any more, but ${running.size} operations wait`)
      break
    }
    if (step > stepsMax) {
      broken.push(`not over after ${stepsMax} steps`)
      break
    }
    const troubles = running.size > 0 ? [...crashActions(), tick(31), tick(120)] : []
    const action = choose([...starts, ...waiting, ...troubles], { action: last, hasEnded })
    if (!action) {
      isRepetition = true
      break
    }
    last = action
    hasEnded = false
    time += 1
    log.push(action.label)
    action.act()
    await settled()
  }
  scheduler.close()
  if (!isRepetition) {
    advance(48 * hour)
    // First marks are finished, then late bytes are removed.
    for (const _ of [1, 2]) await owner.run({ kind: 'sweep' }, 'owner', tickets)
    broken.push(...brokenPromises(history, await owner.atRest(labelsOf(history), tagsOf(history))))
    log.push(...history.slice(firstOwn).map(describeEntry))
  }
  await settled()
  return { broken: broken.map(withLabels), log: log.map(withLabels), isRepetition }
}

/** Returns the store, which answers that a key is taken before it reads a stream, as real ones may. */
function refusingEarly(store: ObjectStore): ObjectStore {
  return {
    ...store,
    async put(key, body, options) {
      const isStream = body instanceof ReadableStream
      if (isStream && options.condition && 'absent' in options.condition && (await store.head(key)))
        return null
      return store.put(key, body, options)
    },
  }
}

/** Does what comes before the plan, one operation after the other, with tickets first. */
async function prepare(
  { before, operations }: Plan,
  owner: Replica,
  history: Entry[],
): Promise<Map<string, IssuedTicket>> {
  const tickets = new Map<string, IssuedTicket>()
  for (const wish of [...before, ...operations]) {
    if (wish.kind !== 'complete' || tickets.has(wish.ticket)) continue
    tickets.set(wish.ticket, await owner.issue(wish.ticket, wish.digest))
  }
  for (const [at, wish] of before.entries()) {
    if (wish.kind === 'wait') continue
    const by = `before ${at}`
    const operation = operationOf(wish, by, new Map())
    const result = await owner.run(operation, by, tickets)
    if (result?.code !== 'ok') throw new Error(`${wish.kind} before the plan ended with ${result?.code}`)
    history.push({ operation, result, start: at, end: at })
  }
  return tickets
}

async function etagsBefore({ operations }: Plan, owner: Replica): Promise<Map<string, string>> {
  const etags = new Map<string, string>()
  for (const wish of operations) {
    if (!('ifUnmoved' in wish && wish.ifUnmoved)) continue
    const read = await owner.run({ kind: 'readTag', tag: wish.tag }, 'owner', new Map())
    if (read?.code === 'ok' && read.etag !== undefined) etags.set(wish.tag, read.etag)
  }
  return etags
}

function isRemoval({ kind }: Wish): boolean {
  return kind === 'delete' || kind === 'retain' || kind === 'complete' || kind === 'sweep'
}

function labelsOf(history: readonly Entry[]): string[] {
  return [...new Set(history.flatMap(({ operation }) => ('digest' in operation ? [operation.digest] : [])))]
}

function tagsOf(history: readonly Entry[]): string[] {
  const named = history.flatMap(({ operation }) => ('tag' in operation ? [operation.tag] : []))
  return [...new Set(['latest', ...named])]
}
