import { expect, it, setDefaultTimeout } from 'bun:test'
import { recordFigure } from '../support/figures.ts'
import { leftAfterSweep, readAtRest, settleDeletions } from '../support/histories/document-at-rest.ts'
import type { DocumentHistory } from '../support/histories/document-history.ts'
import { startFallibleStore } from '../support/histories/fallible-store.ts'
import { startFaults } from '../support/histories/faults.ts'
import { operationsOf, runHistories, summaryOf } from '../support/histories/history-run.ts'
import { type Replica, startReplicas } from '../support/histories/replicas.ts'
import { movedTags } from '../support/histories/workload.ts'
import { brokenPromises } from '../support/model/at-rest.ts'
import { describeEntry } from '../support/model/linearizability.ts'
import { randomOf, seedOf } from '../support/seed.ts'
import { loadOf } from '../support/service/process-load.ts'
import { sizeOf } from '../support/sizes.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { until } from '../support/waiting.ts'

/**
 * Clients work on a few documents at a time, by three replicas, while replicas, connections and the store fail. In the end
 * everything that was asked and answered must be explained by documents that change one step at a time.
 */

setDefaultTimeout(3 * 3_600_000)

const seconds = sizeOf({ test: 100, long: 3600, of: 'seconds of requests under faults' })
/** Longer than a DELETE is accepted and settles, and than a lease outlives its holder. */
const longPauseSeconds = 95
/** Idle connections that may stay open: a pool of at most sixteen to the store, and the clients' own. */
const socketsMore = 32
/** Memory that the engine keeps for its heap after work. */
const memoryMoreMiB = 128
/** Flaws that are looked for. */
const shownMax = 3
/** How many histories may have more explanations than can be tried. */
const undecidedShareMax = 0.01
const random = randomOf(seedOf(import.meta))
const { store, outages } = stoppedAfterTests(await startFallibleStore())
const replicas = stoppedAfterTests(await startReplicas(3, store))
const [first] = replicas.all as [Replica, ...Replica[]]

// What a process that has worked holds is the baseline, not what one holds that has just started.
await runHistories(replicas, random, 5)
const before = loadsNow()

const faults = startFaults(replicas, random, { outages, longPauseSeconds })
const histories = await runHistories(replicas, random, seconds)
await faults.stop()
console.log(`faults: ${JSON.stringify(faults.counts)}`)
console.log(summaryOf(histories))

function loadsNow() {
  return replicas.all.map(({ service }) => loadOf(service().process.pid))
}

it('leaves replicas with the memory and the connections that they had before, within ten seconds', async () => {
  const ended = performance.now()
  await until(() =>
    loadsNow().every(({ sockets }, at) => sockets <= (before[at]?.sockets ?? 0) + socketsMore),
  )
  console.log(`before ${JSON.stringify(before)}, after ${JSON.stringify(loadsNow())}`)
  expect(performance.now() - ended).toBeLessThan(10_000)
  const grown = loadsNow().map(({ memoryMiB }, at) => memoryMiB - (before[at]?.memoryMiB ?? 0))
  expect(Math.max(...grown)).toBeLessThan(memoryMoreMiB)
})

it('keeps every promise about documents while replicas, connections and the store fail', async () => {
  await settleDeletions(
    replicas.outside.store,
    histories.map(({ path }) => path),
  )
  const broken: string[] = []
  let undecided = 0
  for (const history of histories) {
    const flaws = await flawsOf(history)
    undecided += flaws.filter(isUndecided).length
    const certain = flaws.filter((flaw) => !isUndecided(flaw))
    broken.push(...certain)
    if (certain.length > 0) console.log([history.path, ...linesOf(history), ...faults.began].join('\n'))
    // A history that nothing explains is searched to its end, which takes a minute.
    if (broken.length >= shownMax) break
  }
  console.log(`${undecided} of ${histories.length} histories have too many explanations to try`)
  expect(broken).toEqual([])
  expect(undecided / histories.length).toBeLessThan(undecidedShareMax)
  recordFigure('histories', { name: 'operations', value: operationsOf(histories), unit: '' })
})

it('leaves nothing but versions and records after the sweep', async () => {
  expect(await leftAfterSweep(replicas.outside.store)).toEqual([])
})

it('leaves no request pending: every replica ends at once when it is asked to', async () => {
  for (const { service } of replicas.all) {
    service().signal('SIGINT')
    expect(await Promise.race([service().process.exited, Bun.sleep(10_000)])).toBe(0)
  }
})

/** Every operation on a document, as one line each: what has happened can only be seen from all of it. */
function linesOf({ entries }: DocumentHistory): string[] {
  return entries.toSorted((a, b) => a.start - b.start).map(describeEntry)
}

function isUndecided(flaw: string): boolean {
  return flaw.includes(': undecided')
}

async function flawsOf(history: DocumentHistory): Promise<string[]> {
  const { entries, flaws, path } = history
  const rest = await readAtRest(first.call, history, movedTags)
  // The sweeper ran in each process that started, and in the end.
  const swept = { operation: { kind: 'sweep' }, result: null, start: 0, end: Infinity } as const
  return [...flaws, ...brokenPromises([...entries, swept], rest)].map((flaw) => `${path}: ${flaw}`)
}
