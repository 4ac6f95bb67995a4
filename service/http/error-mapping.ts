import { DocumentError } from '../documents/document-error.ts'
import { limits } from '../limits.ts'
import { ProblemError } from './problem.ts'

/** The one place where an error of the domain gets its HTTP form. Unknown errors reveal no detail to the caller. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (!(error instanceof DocumentError)) {
    return new ProblemError('internal_error', 'The request failed. Give the operator the trace id.', {
      cause: error,
    })
  }
  const { code, message, details } = error
  return new ProblemError(code, message, { members: details, headers: headersOf(error), cause: error })
}

function headersOf({ code, details, retryAfterSeconds }: DocumentError): Record<string, string> {
  if (code === 'range_unsatisfiable') return unsatisfiedRange(details)
  return retryAfterSeconds === undefined ? {} : retryAfter(retryAfterSeconds)
}

/** RFC 9110 section 10.2.3. Zero would make clients that obey it come back without a pause. */
function retryAfter(seconds: number): Record<string, string> {
  return { 'retry-after': String(Math.min(Math.max(seconds, 1), limits.retryAfterSecondsMax)) }
}

/** RFC 9110 section 14.4: a 416 names the current size. */
function unsatisfiedRange(details: Readonly<Record<string, unknown>>): Record<string, string> {
  return { 'content-range': `bytes */${details.size}` }
}
