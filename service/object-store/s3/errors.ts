import { parseRetryAfter } from '../../wire/retry-after.ts'
import { ObjectStoreError, type ObjectStoreErrorCode } from '../object-store.ts'

/**
 * Turns what the SDK or fetch threw into the port's error. Keeps only the store's error code: the SDK's errors
 * embed the whole response, headers and signed request included.
 */
export function toObjectStoreError(operation: string, error: unknown): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error
  const status = statusOf(error)
  const { $response } = error as { $response?: { headers?: Record<string, string> } }
  const retryAfter = parseRetryAfter($response?.headers?.['retry-after'])
  return new ObjectStoreError(codeOfStatus(status), operation, reasonOf(error, status), retryAfter)
}

/** Returns the port's code for an HTTP status of the store; 0 is "no answer". */
export function codeOfStatus(status: number): ObjectStoreErrorCode {
  if (status === 401 || status === 403) return 'denied'
  if (status === 412) return 'precondition_failed'
  if (status === 416) return 'range_unsatisfiable'
  // RGW answers 409 and 408 to requests that lost a race or their connection: the same call may succeed.
  if ([0, 408, 409, 429].includes(status) || status >= 500) return 'unavailable'
  return 'rejected'
}

/** Returns the HTTP status behind an SDK error, or 0 if the store never answered. */
export function statusOf(error: unknown): number {
  const shape = error as {
    $metadata?: { httpStatusCode?: number }
    $response?: { statusCode?: number }
  } | null
  return shape?.$metadata?.httpStatusCode ?? shape?.$response?.statusCode ?? 0
}

/** Returns the `<Code>` of an S3 error body (S3 API, "Error responses"), or `undefined` for any other text. */
export function errorCodeIn(text: string): string | undefined {
  return /<Code>([A-Za-z0-9.]{1,64})<\/Code>/.exec(text)?.[1]
}

/**
 * Refuses a 404 that is about the bucket: it is never the answer about a key.
 *
 * @param text of the answer with status 404.
 * @throws {ObjectStoreError} `rejected` if the bucket does not exist.
 */
export function refuseAbsentBucket(operation: string, text: string): void {
  if (errorCodeIn(text) === 'NoSuchBucket') throw new ObjectStoreError('rejected', operation, 'NoSuchBucket')
}

/** Names that the SDK and JavaScript use for unknown errors: the status says more, such as for a page of HTML. */
const uninformativeNames = ['Error', 'Unknown', 'SyntaxError']

/** S3 codes are CamelCase words, transport codes are upper-case; anything else might carry content. */
const reasonForm = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/

function reasonOf(error: unknown, status: number): string {
  const shape = error as { name?: unknown; code?: unknown } | null
  const candidates = [shape?.code, shape?.name]
  const named = candidates.find(
    (value) => typeof value === 'string' && reasonForm.test(value) && !uninformativeNames.includes(value),
  )
  return typeof named === 'string' ? named : status === 0 ? 'NoAnswer' : `Status${status}`
}
