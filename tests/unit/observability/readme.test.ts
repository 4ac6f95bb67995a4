import { describe, expect, it } from 'bun:test'
import { join, resolve } from 'node:path'
import { variantOrder } from '../../../observability/config/variants.ts'

const folder = resolve(import.meta.dir, '../../../observability')

/** The cells of the table between the marks, row by row, without its head. */
async function table(name: string): Promise<string[][]> {
  const readme = await Bun.file(join(folder, 'README.md')).text()
  const text = readme.split(`<!-- ${name}:begin -->`)[1]?.split(`<!-- ${name}:end -->`)[0] ?? ''
  const rows = text.trim().split('\n').slice(2)
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const inCode = Object.entries(variantOrder).flatMap(([server, variants]) =>
  variants.map((variant) => `${server} ${variant}`),
)

/** `Loki 3.7` and `Loki, ` to `loki`. */
const serverIn = (cell: string) => /^\w+/.exec(cell)?.[0].toLowerCase() ?? ''

describe('the README of the configurations', () => {
  it('says of every variant what it changes, in the order in which they are laid over each other', async () => {
    let server = ''
    const rows = (await table('variants')).map(([name = '', variant = '', changes = '']) => {
      server = name === '' ? server : serverIn(name)
      return { variant: `${server} ${variant.replaceAll('`', '')}`, changes }
    })
    expect(rows.map(({ variant }) => variant)).toEqual(inCode)
    expect(rows.filter(({ changes }) => changes === '')).toEqual([])
  })

  it('says of every variant what CI runs', async () => {
    const named = (await table('matrix')).map(([cell = '']) => cell)
    const variants = named.filter((cell) => cell.includes('`'))
    expect(variants.map((cell) => `${serverIn(cell)} ${/`(.*)`/.exec(cell)?.[1]}`)).toEqual(inCode)
    expect(named).toContainValues([
      'Loki, base',
      'Tempo, base',
      'Tempo 3.0, all',
      'Collector, base',
      'Grafana',
    ])
  })

  it('knows five answers to whether CI runs something', async () => {
    const cells = (await table('matrix')).flatMap((row) => row.slice(1))
    const answers = new Set(cells.map((cell) => cell.split(',')[0]))
    expect([...answers].sort()).toEqual(['', 'merged', 'not run', 'parsed', 'proved', 'runs'])
  })
})
