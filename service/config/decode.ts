import { Value } from '@sinclair/typebox/value'
import type { Problem, Source } from './source.ts'
import { type Values, type Variable, type VariableName, variables } from './variables.ts'

/** The texts as values of their types, and what is wrong with them. A value with a problem is left out. */
export function decodeAll(source: Source): { values: Values; problems: Problem[] } {
  const failed = new Set(source.problems.map(({ variable }) => variable.replace(/_FILE$/, '')))
  const problems: Problem[] = []
  const entries = (Object.keys(variables) as VariableName[]).map((name) => {
    const definition: Variable = variables[name]
    const text = source.texts[name] ?? definition.fallback
    if (text === undefined) {
      if (definition.required && !failed.has(name)) problems.push(missing(name, definition))
      return [name, undefined]
    }
    const value = decode(text, definition)
    const problem = Value.Check(definition.schema, value)
      ? definition.rule?.(text)
      : `must be ${definition.form}`
    if (problem !== undefined) problems.push({ variable: name, problem: plain(problem) })
    return [name, problem === undefined ? value : undefined]
  })
  return { values: Object.fromEntries(entries) as Values, problems }
}

/** Left as text, which no such schema accepts, where it is not in the form of its type. */
function decode(text: string, { schema }: Variable): unknown {
  if (schema.type === 'integer') return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  return text
}

function missing(variable: string, { form, secret: isSecret }: Variable): Problem {
  const file = isSecret ? `, or ${variable}_FILE to the path of a file that holds it` : ''
  return { variable, problem: plain(`is missing: set it to ${form}${file}`) }
}

/** The table's Markdown is for the table only. */
function plain(sentence: string): string {
  return sentence.replaceAll('`', '')
}
