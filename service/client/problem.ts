import { parseRetryAfter } from '../wire/retry-after.ts'
import { type CallIds, type Problem, ProblemError, ProtocolError } from './errors.ts'

/** The longest problem names a thousand versions that are absent; longer answers are pages of a proxy. */
const problemBytesMax = 512 * 1024
const standardMembers: ReadonlySet<string> = new Set(['type', 'title', 'status', 'detail', 'instance'])
const ownMembers: ReadonlySet<string> = new Set(['code', 'traceId', 'correlationId'])

/**
 * Reads the answer to a failed call (RFC 9457) and frees its connection. An answer that is not a problem document
 * becomes one with the code `http_<status>`. HEAD carries no body, and its 404 can only mean an absent document.
 */
export async function problemFrom(response: Response, method: string, ids: CallIds): Promise<ProblemError> {
  const members = method === 'HEAD' ? headProblem(response) : await problemMembers(response)
  const retryAfterSeconds = parseRetryAfter(response.headers.get('retry-after')) ?? null
  return problemOf(members, { status: response.status, retryAfterSeconds }, ids)
}

/**
 * Returns the problem of one item of an answer about many, which has as members what the status and the headers of an
 * answer of its own would be.
 *
 * @throws {ProtocolError} if it names no status
 */
export function itemProblem(
  { retryAfterSeconds, ...members }: Readonly<Record<string, unknown>>,
  ids: CallIds,
): ProblemError {
  const { status } = members
  if (typeof status !== 'number')
    throw new ProtocolError('The answer breaks the contract: a problem has no status.', ids)
  const seconds = typeof retryAfterSeconds === 'number' ? retryAfterSeconds : null
  return problemOf(members, { status, retryAfterSeconds: seconds }, ids)
}

function problemOf(
  members: Record<string, unknown>,
  { status, retryAfterSeconds }: Pick<Problem, 'status' | 'retryAfterSeconds'>,
  ids: CallIds,
): ProblemError {
  const title = text(members.title) ?? `The answer has the status ${status}.`
  const problem = {
    status,
    code: text(members.code) ?? `http_${status}`,
    title,
    detail: text(members.detail) ?? title,
    retryAfterSeconds,
    extensions: extensionsOf(members),
  }
  return new ProblemError(problem, { ...ids, traceId: text(members.traceId) ?? ids.traceId })
}

function headProblem(response: Response): Record<string, unknown> {
  if (response.status !== 404) return {}
  return { code: 'document_not_found', title: 'There is no such document.' }
}

async function problemMembers(response: Response): Promise<Record<string, unknown>> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true
  if (!isProblem || response.body === null) {
    await response.body?.cancel().catch(() => undefined)
    return {}
  }
  try {
    const members: unknown = JSON.parse(await textUpTo(response.body, problemBytesMax))
    return isMembers(members) ? members : {}
  } catch {
    return {}
  }
}

async function textUpTo(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let read = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return read + decoder.decode()
    bytes += value.length
    if (bytes > bytesMax) {
      await reader.cancel()
      throw new RangeError('problem document too long')
    }
    read += decoder.decode(value, { stream: true })
  }
}

function extensionsOf(members: Record<string, unknown>): Record<string, unknown> {
  const own = Object.entries(members).filter(([name]) => !standardMembers.has(name) && !ownMembers.has(name))
  return Object.fromEntries(own)
}

function isMembers(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
