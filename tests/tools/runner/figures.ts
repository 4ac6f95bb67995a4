import { type PromiseName, promises } from '../../support/promises.ts'
import type { SuiteResult } from './suite-result.ts'

/** A figure as a run kept it. */
export interface KeptFigure {
  promise: PromiseName
  name: string
  value: number
  unit: string
  /** Title of the store; `none` without one. */
  store: string
  size: 'test' | 'long'
  /** The day of the run. */
  date: string
}

/** Returns the figures that the suites printed (`tests/support/figures.ts`). A suite in which a test failed gives none. */
export function figuresIn(
  results: readonly SuiteResult[],
  run: Pick<KeptFigure, 'size' | 'date'>,
): KeptFigure[] {
  return results
    .filter(({ failed }) => failed === 0)
    .flatMap(({ store, noted = [] }) => noted.flatMap((line) => figureIn(line, { ...run, store })))
}

function figureIn(line: string, where: Pick<KeptFigure, 'size' | 'date' | 'store'>): KeptFigure[] {
  const [, promise = '', name = '', value = '', unit = ''] =
    /^figure: (\w+) \| (.+) \| (-?[\d.e+-]+)(?: (.+))?$/.exec(line) ?? []
  return isPromise(promise) ? [{ promise, name, value: Number(value), unit, ...where }] : []
}

function isPromise(name: string): name is PromiseName {
  return Object.hasOwn(promises, name)
}

/**
 * Returns the latest figures, in the order of the promises. Those of a promise on a store replace all earlier ones of it there,
 * except that `test` replaces none of `test:long`. Those of a promise that is no longer made are left out.
 */
export function latestFigures(before: readonly KeptFigure[], after: readonly KeptFigure[]): KeptFigure[] {
  const kind = ({ promise, store }: KeptFigure) => `${promise} | ${store}`
  const long = new Set(before.filter(({ size }) => size === 'long').map(kind))
  const taken = after.filter((figure) => figure.size === 'long' || !long.has(kind(figure)))
  const replaced = new Set(taken.map(kind))
  const names = Object.keys(promises)
  const place = ({ promise }: KeptFigure) => names.indexOf(promise)
  return [...before.filter((figure) => !replaced.has(kind(figure))), ...taken]
    .filter(({ promise }) => isPromise(promise))
    .sort((one, other) => place(one) - place(other))
}
