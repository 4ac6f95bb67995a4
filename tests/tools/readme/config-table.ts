import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Variable, variables } from '../../../service/config/variables.ts'

/**
 * Prints the table of all variables, or puts it between the marks of the README:
 * `bun tests/tools/readme/config-table.ts [--write README.md]`.
 */

export const tableBegin = '<!-- config:begin -->'
export const tableEnd = '<!-- config:end -->'

/** The configuration contract as a Markdown table. */
export function configTable(): string {
  const rows = Object.entries(variables).map(([name, definition]) => row(name, definition))
  return ['| Variable | Default | Meaning | Form |', '|---|---|---|---|', ...rows].join('\n')
}

/**
 * `document` with the table between its marks.
 *
 * @throws where the two marks are not there, in this order.
 */
export function withConfigTable(document: string): string {
  const begin = document.indexOf(tableBegin)
  const end = document.indexOf(tableEnd)
  if (begin < 0 || end < begin) throw new Error(`the document has no ${tableBegin} … ${tableEnd}`)
  return `${document.slice(0, begin + tableBegin.length)}\n${configTable()}\n${document.slice(end)}`
}

function row(name: string, { form, meaning, secret, ...definition }: Variable): string {
  const names = secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``
  const cells = [names, defaultOf(definition) + (secret ? ', secret' : ''), meaning, form]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultOf({ required, fallback, derived }: Partial<Variable>): string {
  if (required) return 'required'
  return fallback === undefined ? (derived ?? 'none') : `\`${fallback}\``
}

async function main(): Promise<void> {
  const { write } = parseArgs({ options: { write: { type: 'string' } } }).values
  if (write === undefined) process.stdout.write(`${configTable()}\n`)
  else await writeFile(write, withConfigTable(await readFile(write, 'utf8')))
}

if (import.meta.main) await main()
