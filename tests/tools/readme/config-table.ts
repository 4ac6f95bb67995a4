import type { Variable } from '../../../service/config/parse.ts'
import { variables } from '../../../service/config/variables.ts'
import { markdownTable } from './markdown-table.ts'

/** Returns the configuration contract as a Markdown table: a row for each variable. */
export function configTable(): string {
  const rows = Object.entries(variables).map(([name, definition]) => row(name, definition))
  return markdownTable(['Variable', 'Default', 'Meaning', 'Form'], rows)
}

function row(name: string, { form, meaning, secret, ...definition }: Variable): string[] {
  const names = secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``
  return [names, defaultOf(definition) + (secret ? ', secret' : ''), meaning, form]
}

function defaultOf({ required, fallback, derived }: Partial<Variable>): string {
  if (required) return 'required'
  return fallback === undefined ? (derived ?? 'none') : `\`${fallback}\``
}
