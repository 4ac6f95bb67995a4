import type { PromiseName } from './promises.ts'

/** A number that a test measured or counted. */
export interface Figure {
  /** What was counted, such as `schedules`; the same in every run. */
  name: string
  value: number
  /** Such as `MiB`; empty for a mere count. */
  unit: string
}

/**
 * Prints a figure about a promise. A run shows those of all suites at its end, and `bun run readme` puts the latest ones into
 * the table of promises.
 */
export function recordFigure(promise: PromiseName, { name, value, unit }: Figure): void {
  console.log(`figure: ${promise} | ${name} | ${value}${unit === '' ? '' : ` ${unit}`}`)
}
