import { AsyncLocalStorage } from 'node:async_hooks'
import { type ObjectStore, ObjectStoreError } from '../../service/object-store/object-store.ts'
import type { Action, Fault } from './actions.ts'

/** A call to the store, or a sleep, that continues only when the scheduler says so. */
interface Parked {
  id: number
  replica: number
  operation: number
  rank: number
  method: string
  key: string | null
  /** `null` for a sleep. */
  call: (() => Promise<unknown>) | null
  /** Milliseconds, of a sleep. */
  duration: number
  isOnce: boolean
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** A call whose caller has given up, or a copy of one, that still arrives at the store. */
interface InFlight {
  label: string
  key: string | null
  call: () => Promise<unknown>
}

const writes = ['put', 'copy', 'copyAbsent', 'delete', 'deleteBefore']

/** Makes every call to the store a step that happens when it is chosen. */
export interface Scheduler {
  /** Returns the store as a replica sees it. */
  of(replica: number, store: ObjectStore): ObjectStore
  /** Sleeps in virtual time. */
  sleep(replica: number, milliseconds: number, signal?: AbortSignal): Promise<void>
  /** Runs an operation whose calls carry its number. */
  run<T>(operation: number, work: () => Promise<T>): Promise<T>
  /** Returns what can happen with calls and sleeps now. */
  actions(): Action[]
  /** Forgets what a replica waits for, as when its process is killed; calls may still arrive if `arrive` says so. */
  crash(replica: number, arrive: boolean): void
  /** Whether a call has been, or may still be, made after its caller gave up. */
  readonly hasLateCalls: boolean
  /** Ends everything that waits, so that nothing stays behind. From now on every call fails. */
  close(): void
}

/** @param advance moves the clock of the store by milliseconds. */
export function createScheduler(advance: (milliseconds: number) => void): Scheduler {
  const operations = new AsyncLocalStorage<number>()
  const callsOf = new Map<number, number>()
  let parked: Parked[] = []
  const graves: Parked[] = []
  let inFlight: InFlight[] = []
  let ids = 0
  let closed = false
  let hasLateCalls = false

  function park(
    replica: number,
    step: Pick<Parked, 'method' | 'key' | 'call' | 'duration' | 'isOnce'>,
  ): Promise<unknown> {
    if (closed) return Promise.reject(unanswered(step.method))
    const operation = operations.getStore() ?? 99
    const number = (callsOf.get(operation) ?? 0) + 1
    callsOf.set(operation, number)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    ids += 1
    parked.push({ id: ids, replica, operation, rank: operation * 1000 + number, ...step, resolve, reject })
    return promise
  }

  function take(step: Parked): void {
    parked = parked.filter(({ id }) => id !== step.id)
  }

  function perform(step: Parked): void {
    take(step)
    step.call?.().then(step.resolve, step.reject)
  }

  /** The store has acted, and its answer is still on its way: within one process that makes a difference. */
  function performSlowly(step: Parked): void {
    take(step)
    const answer = (step.call as () => Promise<unknown>)()
    // Its failure is for the caller alone, once the answer arrives.
    answer.catch(() => {})
    ids += 1
    parked.push({ ...step, id: ids, method: `answer to ${step.method}`, call: () => answer })
  }

  function fail(step: Parked, fault: Fault): void {
    take(step)
    const call = step.call as () => Promise<unknown>
    const later = () => inFlight.push({ label: `${nameOf(step)} (late)`, key: step.key, call })
    switch (fault) {
      case 'unanswered':
        void call().catch(() => {})
        step.reject(unanswered(step.method))
        return
      case 'undone':
        step.reject(unanswered(step.method))
        return
      case 'late':
        hasLateCalls = true
        later()
        step.reject(unanswered(step.method))
        return
      case 'twice':
        void call()
          .catch(() => {})
          .then(call)
          .then(step.resolve, step.reject)
        return
      case 'echoed':
        hasLateCalls = true
        later()
        call().then(step.resolve, step.reject)
    }
  }

  function actionsOf(step: Parked): Action[] {
    const { replica, rank, key, method, call, duration } = step
    const isWrite = writes.includes(method)
    const touched = { replica, rank, key, isWrite, isListing: method === 'list' }
    if (!call) {
      const wake = () => {
        take(step)
        advance(duration)
        step.resolve(undefined)
      }
      return [{ kind: 'wake', label: `${nameOf(step)} ends`, ...touched, act: wake }]
    }
    if (method.startsWith('answer to ')) {
      const act = () => perform(step)
      return [{ kind: 'answer', label: nameOf(step), ...touched, key: null, isListing: false, act }]
    }
    const made: Action = { kind: 'call', label: nameOf(step), ...touched, act: () => perform(step) }
    const slow: Action = {
      ...made,
      kind: 'slow',
      label: `${made.label}, answered later`,
      act: () => performSlowly(step),
    }
    if (!isWrite) return [made, slow]
    const faults: Fault[] = step.isOnce
      ? ['unanswered', 'undone', 'late']
      : ['unanswered', 'undone', 'late', 'twice', 'echoed']
    const failing = faults.map(
      (fault): Action => ({
        kind: 'fault',
        label: `${nameOf(step)} is ${fault}`,
        ...touched,
        act: () => fail(step, fault),
      }),
    )
    return [made, slow, ...failing]
  }

  return {
    of(replica, store) {
      const methods = Object.entries(store).map(([method, real]) => {
        const call = (...args: unknown[]) => {
          const [first, second] = args
          const key = typeof first === 'string' ? first : listedPrefix(first)
          const options = args.at(-1) as { once?: boolean } | undefined
          const isOnce =
            method === 'deleteBefore' || options?.once === true || second instanceof ReadableStream
          const make = () => (real as (...args: unknown[]) => Promise<unknown>)(...args)
          return park(replica, { method, key, call: make, duration: 0, isOnce })
        }
        return [method, call]
      })
      return Object.fromEntries(methods) as ObjectStore
    },

    async sleep(replica, milliseconds, signal) {
      signal?.throwIfAborted()
      // Random waits between tries must not differ when a schedule is repeated.
      const duration = Number.isInteger(milliseconds) ? milliseconds : 100
      await park(replica, { method: 'sleep', key: null, call: null, duration, isOnce: true })
    },

    run: (operation, work) => operations.run(operation, work),

    actions() {
      const deliveries = inFlight.map((late): Action => {
        const act = () => {
          inFlight = inFlight.filter((other) => other !== late)
          void late.call().catch(() => {})
        }
        const touched = { replica: -1, rank: 0, key: late.key, isWrite: true, isListing: false }
        return { kind: 'deliver', label: late.label, ...touched, act }
      })
      return [...parked.flatMap(actionsOf), ...deliveries]
    },

    crash(replica, arrive) {
      const abandoned = parked.filter((step) => step.replica === replica)
      parked = parked.filter((step) => step.replica !== replica)
      // Kept, and rejected in the end: timers of what was abandoned would stay otherwise.
      graves.push(...abandoned)
      const sent = abandoned.filter(({ method, call }) => call && writes.includes(method))
      if (!arrive || sent.length === 0) return
      hasLateCalls = true
      inFlight.push(
        ...sent.map((step) => ({
          label: `${nameOf(step)} (late)`,
          key: step.key,
          call: step.call as () => Promise<unknown>,
        })),
      )
    },

    get hasLateCalls() {
      return hasLateCalls
    },

    close() {
      closed = true
      for (const step of [...parked, ...graves]) step.reject(unanswered(step.method))
      parked = []
    },
  }
}

function nameOf({ replica, operation, method, key, duration }: Parked): string {
  const what = method === 'sleep' ? `${duration} ms` : (key ?? '')
  return `replica ${replica}, operation ${operation}: ${method} ${what}`.trimEnd()
}

function listedPrefix(options: unknown): string | null {
  const { prefix } = (options ?? {}) as { prefix?: string }
  return prefix ?? null
}

function unanswered(method: string): ObjectStoreError {
  return new ObjectStoreError('unavailable', method, 'NoAnswer')
}

/** Pending work of `crypto.subtle`, which other threads do. */
let hashing = 0
for (const name of ['importKey', 'sign', 'verify'] as const) {
  const real = crypto.subtle[name].bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>
  const noted = (...args: unknown[]) => {
    hashing += 1
    return real(...args).finally(() => {
      hashing -= 1
    })
  }
  Object.defineProperty(crypto.subtle, name, { value: noted })
}

/** Resolves when every operation waits for the scheduler, or has ended. */
export async function settled(): Promise<void> {
  do {
    await new Promise<void>((resolve) => setImmediate(resolve))
  } while (hashing > 0)
  await new Promise<void>((resolve) => setImmediate(resolve))
}
