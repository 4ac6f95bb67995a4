/** The service, asked in one or more ways, and what it is measured against. */
export interface Comparison {
  /** What `--only` chooses by. */
  operation: Operation
  title: string
  /** Of what the sides measure, such as `requests/s`. */
  unit: string
  /** What the ratios are relative to. */
  baseline: Side
  variants: readonly Variant[]
  /** Ends what was started for it alone. */
  close?(): Promise<void>
}

export const operations = ['sign', 'get', 'put', 'list', 'telemetry'] as const
export type Operation = (typeof operations)[number]

export interface Side {
  /** Runs the load once for about `seconds` and returns a rate: more is better. */
  run(seconds: number): Promise<number>
}

export interface Variant extends Side {
  title: string
  /** Ratio of rates, service to baseline, that we aim at; `null` for a row that only informs. */
  target: number | null
}

/** One line of the table. */
export interface Measured {
  operation: Operation
  title: string
  unit: string
  baseline: Spread
  service: Spread
  /** Service to baseline, of each round by itself: what else the machine did then weighed on both. */
  ratio: Spread
  target: number | null
  /** By the median; `null` without a target. */
  met: boolean | null
  rounds: { baseline: number; service: number }[]
}

/**
 * Runs baseline and variants in turn, `rounds` times and after one short round that does not count. Every other
 * round goes backwards, so that what grows in the course of a run favours neither side.
 */
export async function measure(
  comparison: Comparison,
  { rounds, seconds, onRound }: { rounds: number; seconds: number; onRound: (round: number) => void },
): Promise<Measured[]> {
  const sides: Side[] = [comparison.baseline, ...comparison.variants]
  const rates: number[][] = sides.map(() => [])
  for (const side of sides) await side.run(1)
  for (let round = 1; round <= rounds; round += 1) {
    onRound(round)
    const order = [...sides.entries()]
    for (const [at, side] of round % 2 === 0 ? order.reverse() : order) {
      rates[at]?.push(await side.run(seconds))
    }
  }
  const [baseline = [], ...services] = rates
  return comparison.variants.map((variant, at) => measured(comparison, variant, baseline, services[at] ?? []))
}

function measured(
  { operation, unit, title }: Comparison,
  variant: Variant,
  baseline: readonly number[],
  service: readonly number[],
): Measured {
  const rounds = baseline.map((rate, at) => ({ baseline: rate, service: service[at] ?? 0 }))
  const ratio = spreadOf(rounds.map((round) => round.service / round.baseline))
  return {
    operation,
    title: variant.title === '' ? title : `${title}, ${variant.title}`,
    unit,
    baseline: spreadOf(baseline),
    service: spreadOf(service),
    ratio,
    target: variant.target,
    met: variant.target === null ? null : ratio.median >= variant.target,
    rounds,
  }
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
