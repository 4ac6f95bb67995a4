import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import type { Measured, Spread } from './comparison.ts'

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

/** For `--json`: everything measured, round by round. Rates and ratios: more is better. */
export function report(
  { rounds, seconds }: { rounds: number; seconds: number },
  before: ReturnType<typeof machine>,
  results: readonly Measured[],
): string {
  const head = {
    finishedAt: new Date().toISOString(),
    service: 'service/main.ts, not built',
    rounds,
    seconds,
  }
  return `${JSON.stringify({ ...head, machine: before, results }, null, 2)}\n`
}

/** A line per result, columns aligned. */
export function table(results: readonly Measured[]): string {
  const rows = results.map((result) => [
    result.title,
    amount(result.baseline.median),
    amount(result.service.median),
    result.unit,
    `${result.ratio.median.toFixed(2)} (${spread(result.ratio)})`,
    result.target === null ? '' : `≥ ${result.target.toFixed(2)}`,
    verdict(result),
  ])
  const all = [['', 'baseline', 'service', '', 'ratio (min–max)', 'target', ''], ...rows]
  const widths = (all[0] ?? []).map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** What was met and what was missed, in one sentence each. */
export function summary(results: readonly Measured[]): string {
  const aimed = results.filter(({ met }) => met !== null)
  if (aimed.length === 0) return 'Nothing of this has a target.'
  const missed = aimed.filter(({ met }) => !met)
  const first = `${aimed.length - missed.length} of ${aimed.length} targets met`
  if (missed.length === 0) return `${first}.`
  const names = missed.map(
    ({ title, ratio, target }) => `${title} (${ratio.median.toFixed(2)} of ${target?.toFixed(2)})`,
  )
  return `${first}; missed: ${names.join('; ')}.`
}

function verdict({ met }: Measured): string {
  return met === null ? '' : met ? '✓ met' : '✗ missed'
}

function amount(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1)
}

function spread({ min, max }: Spread): string {
  return `${min.toFixed(2)}–${max.toFixed(2)}`
}
