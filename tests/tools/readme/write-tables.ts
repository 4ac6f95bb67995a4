import { join, resolve } from 'node:path'
import { checkTable } from './check-table.ts'
import { configTable } from './config-table.ts'
import { promiseTable, takeOverFigures } from './promise-table.ts'
import { storeTable } from './store-table.ts'

/**
 * `bun run readme` writes every table that is generated from code into its page, between
 * `<!-- <name>:begin -->` and `<!-- <name>:end -->`.
 */

const root = resolve(import.meta.dir, '../../..')

/** A table that is generated: its page below the root, the name in its marks, and how it is made. */
export interface GeneratedTable {
  page: string
  name: string
  make: () => string
}

export const generatedTables: readonly GeneratedTable[] = [
  { page: 'docs/configuration.md', name: 'config', make: configTable },
  { page: 'service/object-store/README.md', name: 'stores', make: storeTable },
  { page: 'observability/proof/README.md', name: 'checks', make: checkTable },
  { page: 'tests/README.md', name: 'promises', make: promiseTable },
]

/**
 * Returns `document` with `table` between the marks of that name.
 *
 * @throws {Error} if the two marks are not there, in this order.
 */
export function withTable(document: string, name: string, table: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document has no ${begin} … ${end}`)
  return `${document.slice(0, from + begin.length)}\n${table}\n${document.slice(to)}`
}

/** Reads the page of a generated table. */
export function readPage({ page }: GeneratedTable): Promise<string> {
  return Bun.file(join(root, page)).text()
}

async function main(): Promise<void> {
  await takeOverFigures()
  for (const table of generatedTables) {
    const document = withTable(await readPage(table), table.name, table.make())
    await Bun.write(join(root, table.page), document)
    console.log(`wrote the table "${table.name}" into ${table.page}`)
  }
}

if (import.meta.main) await main()
