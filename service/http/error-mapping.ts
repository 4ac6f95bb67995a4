import { DocumentError } from '../documents/document-error.ts'
import { ProblemError } from './problem.ts'

/** The one place where an error of the domain gets its HTTP form. Whatever is not foreseen says nothing. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (!(error instanceof DocumentError)) {
    return new ProblemError(
      'internal_error',
      'The request failed. Tell the operator the trace id.',
      {},
      {},
      { cause: error },
    )
  }
  const headers = error.code === 'range_unsatisfiable' ? unsatisfiedRange(error.details) : {}
  return new ProblemError(error.code, error.message, error.details, headers, { cause: error })
}

/** RFC 9110 section 14.4: a 416 names the current size. */
function unsatisfiedRange(details: Readonly<Record<string, unknown>>): Record<string, string> {
  return { 'content-range': `bytes */${details.size}` }
}
