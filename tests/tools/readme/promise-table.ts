import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promises } from '../../support/promises.ts'
import { type KeptFigure, latestFigures } from '../runner/figures.ts'
import { markdownTable } from './markdown-table.ts'

const root = resolve(import.meta.dir, '../../..')

/** What the runs on this machine measured last; not committed. */
export const ownFigures = join(root, '.local/figures.json')

/** Those of the table. */
const committedFigures = join(import.meta.dir, 'figures.json')

/** Reads a file of figures; one that is not there has none. */
export function readFigures(file: string): KeptFigure[] {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
}

/** Takes the figures of the runs on this machine over into those that are committed. */
export async function takeOverFigures(): Promise<void> {
  const latest = latestFigures(readFigures(committedFigures), readFigures(ownFigures))
  await Bun.write(committedFigures, `${JSON.stringify(latest, null, 2)}\n`)
}

/** Returns the promises as a Markdown table: the test that holds each of them, and its latest figures. */
export function promiseTable(): string {
  const figures = readFigures(committedFigures)
  const rows = Object.entries(promises).map(([name, { promise, test }]) => [
    promise,
    `\`${test.replace('tests/', '')}\``,
    figures
      .filter((figure) => figure.promise === name)
      .map(shown)
      .join('; '),
  ])
  return markdownTable(['Promise', 'Test', 'Latest figures'], rows)
}

function shown({ name, value, unit, store, size, date }: KeptFigure): string {
  const number = value.toLocaleString('en', { maximumFractionDigits: 1 })
  const where = [...(store === 'none' ? [] : [store]), ...(size === 'long' ? ['test:long'] : []), date]
  return `${name}: ${[number, unit].join(' ').trim()} (${where.join(', ')})`
}
