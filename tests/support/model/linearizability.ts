import { type DocumentState, emptyDocument, stateKey } from './document-state.ts'
import type { Entry } from './history.ts'
import { type Surroundings, statesAfter, statesDuring } from './sequential-document.ts'

/** What was found out about a history. */
export interface Verdict {
  /** `undecided`: the search was given up. */
  linearizable: 'yes' | 'no' | 'undecided'
  /** How many combinations of a state and of finished operations were looked at. */
  looked: number
  /** Where the search came furthest, as text: the state of the document, and what no order of operations explains. */
  stuckAt: string
}

/** A point of the search: which entries have taken effect, and what the document is then. */
interface Point {
  state: DocumentState
  /** All entries with a result before this number have taken effect … */
  first: number
  /** … and these after it. */
  further: readonly number[]
  /** Entries without a result that have taken effect. */
  effective: readonly number[]
  /** The last start of an entry that has taken effect. */
  time: number
  /** How many effects were assumed that no answer speaks of: of entries without a result, and before an answer. */
  assumed: number
}

/**
 * Finds out whether a history of one document could come from operations that take effect one after the other, each
 * between its start and its end: linearizability, by the search of Wing and Gong with the memory of Lowe ("Testing for
 * linearizability", 2017). What an operation may do before it is answered is in `sequential-document.ts`.
 *
 * Explanations that assume least are tried first. Most histories have one that assumes little, and a search that goes
 * deep first gets lost in all the ways in which operations without an answer may have taken effect: of 474 histories
 * of a store under faults it decided one not at all, and the others in 88 s instead of 0.7.
 *
 * @param history in any order
 * @param options.before the document before the history; default: never uploaded
 * @param options.pointsMax gives up after this many points; default: 2,000,000
 */
export function checkLinearizable(
  history: readonly Entry[],
  { before = emptyDocument, pointsMax = 2_000_000 }: { before?: DocumentState; pointsMax?: number } = {},
): Verdict {
  const search = createSearch(history)
  // Hashes of 64 bits, since two million of the texts themselves take ten gigabytes.
  const seen = new Set<number | bigint>()
  /** Points from which the search continues, by how much they assume; what was found last goes first. */
  const stacks: Point[][] = []
  const visit = (point: Point) => {
    const key = Bun.hash(`${point.first} ${point.further} ${point.effective} ${stateKey(point.state)}`)
    if (seen.has(key)) return
    seen.add(key)
    stacks[point.assumed] ??= []
    stacks[point.assumed]?.push(point)
  }
  visit({ state: before, first: 0, further: [], effective: [], time: -Infinity, assumed: 0 })
  let furthest = stacks[0]?.[0] as Point
  const verdict = (linearizable: Verdict['linearizable']): Verdict => ({
    linearizable,
    looked: seen.size,
    stuckAt: linearizable === 'yes' ? '' : search.describe(furthest),
  })
  const take = () => stacks.find((stack) => stack.length > 0)?.pop()
  for (let point = take(); point; point = take()) {
    if (search.isComplete(point)) return verdict('yes')
    if (seen.size > pointsMax) return verdict('undecided')
    if (finishedBy(point) > finishedBy(furthest)) furthest = point
    // The last one is visited first: effects that were answered, in the order of their answers, explain most.
    for (const next of search.next(point)) visit(next)
  }
  return verdict('no')
}

function finishedBy({ first, further }: Point): number {
  return first + further.length
}

function createSearch(history: readonly Entry[]) {
  const known = history.filter(({ result }) => result !== null).sort((a, b) => a.start - b.start)
  const unknown = history.filter(({ result, operation }) => result === null && !isRead(operation.kind))
  const moves = new Set(
    known.flatMap(({ operation, result }) =>
      operation.kind === 'moveTag' && result?.code === 'ok' && result.etag !== undefined ? [result.etag] : [],
    ),
  )
  const isOfKnownMove = (etag: string) => moves.has(etag)
  const surround = (entry: Entry, index: number): Surroundings => ({
    index,
    isOfKnownMove,
    isSharedDeletion: history.some((other) => other !== entry && deleteTogether(entry, other)),
  })
  const around = known.map((entry, at) => surround(entry, at))
  const aroundUnknown = unknown.map((entry, at) => surround(entry, known.length + at))

  /** Entries with a result that may be the next to take effect: none of the others has ended before they began. */
  function candidates({ first, further }: Point): number[] {
    const open: number[] = []
    let earliestEnd = Infinity
    for (let at = first; at < known.length; at += 1) {
      const { start, end } = known[at] as Entry
      if (start > earliestEnd) break
      if (further.includes(at)) continue
      open.push(at)
      earliestEnd = Math.min(earliestEnd, end)
    }
    return open.filter((at) => (known[at] as Entry).start <= earliestEnd)
  }

  function take(point: Point, at: number, state: DocumentState): Point {
    const further = new Set([...point.further, at])
    let { first } = point
    while (further.delete(first)) first += 1
    const time = Math.max(point.time, (known[at] as Entry).start)
    return { ...point, state, first, further: [...further].sort((a, b) => a - b), time }
  }

  function* next(point: Point): Generator<Point> {
    const assumed = point.assumed + 1
    const open = candidates(point)
    const latestStart = Math.min(...open.map((at) => (known[at] as Entry).end))
    for (const [at, entry] of unknown.entries()) {
      const isUnderWay = entry.start <= latestStart && entry.end >= point.time
      if (!isUnderWay || point.effective.includes(at)) continue
      const surroundings = aroundUnknown[at] as Surroundings
      for (const state of statesDuring(point.state, entry, surroundings)) yield { ...point, state, assumed }
      const effective = [...point.effective, at].sort((a, b) => a - b)
      for (const state of statesAfter(point.state, entry, surroundings))
        yield { ...point, state, effective, assumed }
    }
    for (const at of open) {
      for (const state of statesDuring(point.state, known[at] as Entry, around[at] as Surroundings)) {
        yield { ...point, state, assumed }
      }
    }
    const byEnd = open.toSorted((a, b) => (known[b] as Entry).end - (known[a] as Entry).end)
    for (const at of byEnd) {
      const states = statesAfter(point.state, known[at] as Entry, around[at] as Surroundings)
      for (const state of states) yield take(point, at, state)
    }
  }

  return {
    next,

    isComplete: (point: Point) => point.first === known.length,

    describe(point: Point): string {
      const waiting = candidates(point).map((at) => `  ${describeEntry(known[at] as Entry)}`)
      return [`${JSON.stringify(point.state)}, after which none of these is possible:`, ...waiting].join('\n')
    },
  }
}

function deleteTogether(one: Entry, other: Entry): boolean {
  const deleted = deletedBy(one)
  return deleted !== null && deleted === deletedBy(other) && one.start <= other.end && other.start <= one.end
}

function deletedBy({ operation }: Entry): string | null {
  return operation.kind === 'delete' || operation.kind === 'retain' ? operation.digest : null
}

/** An operation that changes nothing: without a result it says nothing. */
function isRead(kind: Entry['operation']['kind']): boolean {
  return kind === 'read' || kind === 'readTag' || kind === 'readByTag'
}

/** Returns an entry as one line. */
export function describeEntry({ operation, result, start, end }: Entry): string {
  const { kind, ...asked } = operation
  const answer = result ? JSON.stringify(result) : 'no answer'
  return `${start}–${end} ${kind} ${JSON.stringify(asked)} → ${answer}`
}
