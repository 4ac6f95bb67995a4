import { cpuMillisecondsOf } from '../support/service/process-load.ts'

/** Some ways to do the same thing, one of them by the service, and what we aim at. */
export interface Comparison {
  /** What `--only` chooses by. */
  operation: Operation
  title: string
  unit: Unit
  /** The first one is what all ratios are relative to. */
  sides: readonly Side[]
  targets: readonly Target[]
  /** Ends what was started for it alone. */
  close?(): Promise<void>
}

export const operations = ['sign', 'get', 'put', 'list', 'telemetry', 'replicas', 'footprint'] as const
export type Operation = (typeof operations)[number]

/** What is counted. Large bodies are compared by bytes, since a run ends in the middle of some. */
export type Unit = 'requests' | 'MiB' | 'signatures'

/** CPU time is given per so many units. */
export const cpuPer: Readonly<Record<Unit, number>> = { requests: 1, MiB: 64, signatures: 1 }

export interface Side {
  /** The same in all comparisons, such as `store`. */
  title: string
  /** Of the process whose CPU time is measured: the service's, or that of what stands in its place. */
  pid?: number | undefined
  /** Runs the load once for about `seconds`. */
  run(seconds: number): Promise<Work>
}

/** What was done in a run. */
export interface Work {
  /** In units of the comparison. */
  amount: number
  seconds: number
}

/** What we aim at: how the rate or the CPU time of a side compares with that of another one. */
export interface Target {
  side: string
  than: string
  /** Least ratio of the rates. */
  rateMin?: number
  /** Greatest ratio of the CPU times. */
  cpuMax?: number
}

/** One side as it was measured, round by round. */
export interface MeasuredSide {
  title: string
  /** Units per second. */
  rate: number[]
  /** Milliseconds per `cpuPer` units; `null` where no process is named. */
  cpu: number[] | null
}

/** One comparison as it was measured. */
export interface Measured {
  operation: Operation
  title: string
  unit: Unit
  sides: MeasuredSide[]
  verdicts: Verdict[]
}

export interface Verdict extends Target {
  /** Of each round by itself: what else the machine did then weighed on both. */
  ratio: Spread
  /** By the median. */
  met: boolean
}

/**
 * Runs all sides in turn, `rounds` times and after one short round that does not count. Every other round goes
 * backwards, so that what grows in the course of a run favours neither side.
 */
export async function measure(
  { operation, title, unit, sides, targets }: Comparison,
  { rounds, seconds, onRound }: { rounds: number; seconds: number; onRound: (round: number) => void },
): Promise<Measured> {
  const measured = sides.map(
    ({ title, pid }): MeasuredSide => ({ title, rate: [], cpu: pid === undefined ? null : [] }),
  )
  for (const side of sides) await side.run(1)
  for (let round = 1; round <= rounds; round += 1) {
    onRound(round)
    const order = [...sides.entries()]
    for (const [at, side] of round % 2 === 0 ? order.reverse() : order) {
      const before = side.pid === undefined ? 0 : cpuMillisecondsOf(side.pid)
      const work = await side.run(seconds)
      const after = side.pid === undefined ? 0 : cpuMillisecondsOf(side.pid)
      measured[at]?.rate.push(work.amount / work.seconds)
      measured[at]?.cpu?.push(((after - before) / work.amount) * cpuPer[unit])
    }
  }
  return {
    operation,
    title,
    unit,
    sides: measured,
    verdicts: targets.map((target) => judge(target, measured)),
  }
}

function judge(target: Target, sides: readonly MeasuredSide[]): Verdict {
  const one = sideOf(sides, target.side)
  const other = sideOf(sides, target.than)
  const { rateMin, cpuMax } = target
  const ratio = cpuMax === undefined ? ratioOf(one.rate, other.rate) : ratioOf(one.cpu ?? [], other.cpu ?? [])
  return {
    ...target,
    ratio,
    met: cpuMax === undefined ? ratio.median >= (rateMin ?? 0) : ratio.median <= cpuMax,
  }
}

function sideOf(sides: readonly MeasuredSide[], title: string): MeasuredSide {
  const side = sides.find((each) => each.title === title)
  if (!side) throw new Error(`a target names the side ${title}, which is not measured`)
  return side
}

/** Returns how each round of one side compares with the same round of another one. */
export function ratioOf(one: readonly number[], other: readonly number[]): Spread {
  return spreadOf(one.map((value, round) => value / (other[round] ?? Number.NaN)))
}

/** A handful of measurements of the same thing. */
export interface Spread {
  median: number
  min: number
  max: number
}

/** @param values at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (position: number) => sorted[position] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  }
}
