import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { cpuPer, type Measured, ratioOf, type Spread, spreadOf, type Verdict } from './comparison.ts'
import type { Footprint } from './footprint.ts'

/** What a reader of old results wants to know about the machine; nothing that names it. */
export function machine() {
  return {
    bun: Bun.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    /** Runnable processes over the last minute: above `cores`, others were at work here too. */
    loadAverage: loadavg()[0] ?? 0,
  }
}

/** Of what a run consisted. */
export interface RunOptions {
  store: string
  rounds: number
  /** Of each side in each round. */
  seconds: number
}

/** What a run measured. */
export interface Results {
  results: readonly Measured[]
  /** Empty if it was not measured. */
  footprint: readonly Footprint[]
}

/** For `--json`: everything measured, round by round. */
export function report(
  options: RunOptions,
  before: ReturnType<typeof machine>,
  { results, footprint }: Results,
): string {
  const { store, rounds, seconds } = options
  const head = {
    finishedAt: new Date().toISOString(),
    service: 'service/main.ts, not built',
    store,
    rounds,
    seconds,
  }
  return `${JSON.stringify({ ...head, machine: before, results, footprint }, null, 2)}\n`
}

/** Cells of a result: a line per side, as the table on the terminal and that of `docs/performance.md` have them. */
export function sideRows({ unit, sides }: Measured): string[][] {
  const [baseline] = sides
  return sides.map(({ title, rate, cpu }) => [
    title,
    `${amount(spreadOf(rate).median)} ${unit}/s`,
    ratio(ratioOf(rate, baseline?.rate ?? [])),
    cpu === null ? '' : `${amount(spreadOf(cpu).median)} ms`,
  ])
}

/** Headings of {@link sideRows}. */
export function sideHeads({ unit }: Pick<Measured, 'unit'>): string[] {
  const per = cpuPer[unit] === 1 ? unit.slice(0, -1) : `${cpuPer[unit]} ${unit}`
  return ['', 'rate', 'of the first (min–max)', `CPU per ${per}`]
}

/** The lines of a result for a terminal, columns aligned, with a line for each target. */
export function table(result: Measured): string {
  const rows = [sideHeads(result), ...sideRows(result)]
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
  const lines = rows.map((row) =>
    `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd(),
  )
  return [result.title, ...lines, ...result.verdicts.map((verdict) => `  ${sentenceOf(verdict)}`)].join('\n')
}

/** The lines of the footprint for a terminal. */
export function footprintTable(footprint: readonly Footprint[]): string {
  return ['footprint', ...footprint.map((row) => `  ${footprintSentence(row)}`)].join('\n')
}

/** Returns a figure of the footprint with its target, as a sentence. */
export function footprintSentence({ what, unit, measured, max, met }: Footprint): string {
  const { median, min, max: most } = measured
  return `${verdictOf(met)}: ${what} ≤ ${max} ${unit}: ${amount(median)} (${amount(min)}–${amount(most)})`
}

/** Returns a target with what was measured, as a sentence. */
export function sentenceOf({ side, than, rateMin, cpuMax, ratio: found, met }: Verdict): string {
  const aim =
    cpuMax === undefined
      ? `rate of ${side} ≥ ${(rateMin ?? 0).toFixed(2)} × ${than}`
      : `CPU of ${side} ≤ ${cpuMax.toFixed(2)} × ${than}`
  return `${verdictOf(met)}: ${aim}: ${ratio(found)}`
}

function verdictOf(met: boolean): string {
  return met ? '✓ met' : '✗ missed'
}

/** What was met and what was missed, in one sentence each. */
export function summary(results: readonly Measured[], footprint: readonly Footprint[]): string {
  const verdicts = [
    ...results.flatMap(({ title, verdicts }) =>
      verdicts.map((verdict) => ({ met: verdict.met, sentence: `${title}: ${sentenceOf(verdict)}` })),
    ),
    ...footprint.map((row) => ({ met: row.met, sentence: footprintSentence(row) })),
  ]
  if (verdicts.length === 0) return 'Nothing of this has a target.'
  const missed = verdicts.filter(({ met }) => !met)
  const first = `${verdicts.length - missed.length} of ${verdicts.length} targets met`
  return [`${first}.`, ...missed.map(({ sentence }) => sentence)].join('\n')
}

function amount(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

function ratio({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`
}
