import type { Static, TSchema } from '@sinclair/typebox'
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

export function formProblem(errors: readonly FormError[]): ProblemError {
  const [first] = errors
  const where = first ? `${first.in}${first.pointer}` : 'request'
  return new ProblemError(
    'request_invalid',
    `The ${where} has the wrong form: ${first?.message ?? 'unknown'}. See "errors" for all of it.`,
    { errors },
  )
}
