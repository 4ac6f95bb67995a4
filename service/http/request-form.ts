import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { readBounded } from '../bounded-body.ts'
import { digestMismatch } from '../documents/document-error.ts'
import { digestOfHex } from '../documents/document-key.ts'
import { limits } from '../limits.ts'
import { declaredDigest } from './headers/declared-digest.ts'
import { requireJson } from './headers/media-type.ts'
import { ProblemError } from './problem.ts'

/** One value that has the wrong form. `pointer` is a JSON pointer (RFC 6901) into `in`. */
export interface FormError {
  in: string
  pointer: string
  message: string
}

const errorsMax = 16

/**
 * Returns the value if it has the schema's form; unknown members are refused where the schema says so.
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
 * Returns query parameters, of which none comes twice, in their schema's form: whole numbers where the schema has an
 * integer, and texts everywhere else.
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

/** Returns the problem that lists what has the wrong form. */
export function formProblem(errors: readonly FormError[]): ProblemError {
  const [first] = errors
  const where = first ? `${first.in}${first.pointer}` : 'request'
  return new ProblemError(
    'request_invalid',
    `The ${where} has the wrong form: ${first?.message ?? 'unknown'}. See "errors" for all of it.`,
    { members: { errors } },
  )
}

/**
 * Reads a JSON body of a known shape, and never more than `bytesMax` of it: admission has looked at the declared size
 * only.
 *
 * @param bytesMax that of the route, if it has one
 * @throws {ProblemError} `body_too_large`, `request_invalid`, `digest_invalid`
 * @throws {DocumentError} `digest_mismatch`
 */
export async function readJson<Schema extends TSchema>(
  request: Request,
  schema: Schema,
  bytesMax: number = limits.jsonBodyBytesMax,
): Promise<Static<Schema>> {
  return checked('body', schema, parse(await readText(request, bytesMax)))
}

/**
 * As {@link readJson}, where the body may be left out: also by a request whose body turns out to be empty, which then
 * needs no type.
 *
 * @throws {ProblemError} also `media_type_unsupported`
 */
export async function readOptionalJson<Schema extends TSchema>(
  request: Request,
  schema: Schema,
): Promise<Static<Schema> | undefined> {
  const text = await readText(request, limits.jsonBodyBytesMax)
  if (text === '') return undefined
  requireJson(request.headers)
  return checked('body', schema, parse(text))
}

async function readText(request: Request, bytesMax: number): Promise<string> {
  const declared = declaredDigest(request.headers)
  const body = await readBounded(request.body, bytesMax)
  if (body === null) throw tooLarge(bytesMax)
  if (declared !== undefined) {
    const found = digestOfHex(Bun.SHA256.hash(body, 'hex'))
    if (declared !== found) throw digestMismatch(declared, found)
  }
  return body.toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ProblemError('request_invalid', 'The body is not JSON.')
  }
}

function tooLarge(bytesMax: number): ProblemError {
  return new ProblemError('body_too_large', `A JSON body may have ${bytesMax} bytes at most here.`)
}
