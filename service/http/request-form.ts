import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { ProblemError } from './problem.ts'

/** One thing that has the wrong form. `pointer` is a JSON pointer (RFC 6901) into `in`. */
export interface FormError {
  in: string
  pointer: string
  message: string
}

const errorsMax = 16

/**
 * The value, if it has the schema's form; unknown members are refused where the schema says so.
 *
 * @param part where in the request the value was: `path`, `query` or `body`.
 * @throws {ProblemError} `request_invalid`, with every error.
 */
export function checked<Schema extends TSchema>(
  part: string,
  schema: Schema,
  value: unknown,
): Static<Schema> {
  if (Value.Check(schema, value)) return value
  const errors: FormError[] = []
  for (const { path, message } of Value.Errors(schema, value)) {
    if (errors.length === errorsMax) break
    errors.push({ in: part, pointer: path, message })
  }
  throw formProblem(errors)
}

/** As JSON writes whole numbers, without a sign. */
const wholeNumber = /^(?:0|[1-9]\d{0,14})$/

/**
 * Query parameters in their schema's form, of which none comes twice. A text stays a text, but for whole numbers
 * where the schema has an integer.
 *
 * @throws {ProblemError} `request_invalid`, also for a parameter that the schema does not know.
 */
export function readQuery<Query extends TObject>(schema: Query, parameters: URLSearchParams): Static<Query> {
  const entries = [...parameters].map(([name, text]) => {
    const isNumber = schema.properties[name]?.type === 'integer' && wholeNumber.test(text)
    return [name, isNumber ? Number(text) : text]
  })
  return checked('query', schema, Object.fromEntries(entries))
}

export function formProblem(errors: readonly FormError[]): ProblemError {
  const [first] = errors
  const where = first ? `${first.in}${first.pointer}` : 'request'
  return new ProblemError(
    'request_invalid',
    `The ${where} has the wrong form: ${first?.message ?? 'unknown'}. See "errors" for all of it.`,
    { members: { errors } },
  )
}
