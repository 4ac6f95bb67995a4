import { parseContentRange } from '../../wire/byte-range.ts'
import {
  type GetOptions,
  type ObjectBody,
  type ObjectBytes,
  type ObjectInfo,
  ObjectStoreError,
} from '../object-store.ts'
import { tap } from '../tap.ts'
import type { HeldConnection, ReleaseConnection } from './connections.ts'
import { toObjectStoreError } from './errors.ts'

export interface BodyOptions extends GetOptions {
  /** A read that gets nothing for this long has failed. Time in which the caller does not read does not count. */
  answerSecondsMax: number
}

/**
 * Reads a GetObject answer as the port's body. The connection is released once the body has ended, failed, or was
 * cancelled or aborted; with `abandoned` if bytes were left. It may be taken away before, so that others are served.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 *
 * @throws {ObjectStoreError} `range_unsatisfiable` for a range of an empty object
 */
export function toObjectBody(
  info: ObjectInfo,
  response: Response,
  options: BodyOptions,
  held: HeldConnection,
): ObjectBody {
  const { headers } = response
  const range = parseContentRange(headers.get('content-range'))
  // MinIO answers 200 and no bytes to the last bytes of an empty object, other stores 416.
  if (options.range && !range && headers.get('content-length') === '0') {
    throw new ObjectStoreError('range_unsatisfiable', 'get', 'InvalidRange')
  }
  return {
    ...info,
    size: range ? range.size : info.size,
    range: range && { first: range.first, last: range.last },
    body: releasing(response.body, options, held),
  }
}

/**
 * Reads the answer to a GetObject of a whole object as one that is passed on. The connection is released when the caller
 * says that the body is over; before, it can only be taken away by breaking the body off.
 *
 * @param request `signal` is aborted when the client leaves, or by `abort`, which ends the request.
 */
export function toPassedOn(
  info: ObjectInfo,
  body: ReadableStream<Uint8Array>,
  request: { signal: AbortSignal | undefined; abort: AbortController; answerSecondsMax: number },
  { lend, release }: HeldConnection,
): ObjectBody {
  // The runtime prints the reason why an answer was broken off, if there is one.
  lend(() => request.abort.abort(null), true)
  const end: ReleaseConnection = (abandoned) => release(request.signal?.aborted ? 'abandoned' : abandoned)
  return { ...info, range: null, body, passedOn: { idleSecondsMax: request.answerSecondsMax, end } }
}

/**
 * Reads a GetObject answer in one piece.
 *
 * @throws {ObjectStoreError} `unavailable` if it ends early; what the runtime throws if it breaks off.
 */
export async function toObjectBytes(
  info: ObjectInfo,
  response: Response,
  operation: string,
): Promise<ObjectBytes> {
  const body = await response.bytes()
  if (body.byteLength !== info.size) throw new ObjectStoreError('unavailable', operation, 'IncompleteBody')
  return { ...info, range: null, body }
}

function releasing(
  body: ReadableStream<Uint8Array> | null,
  { signal, answerSecondsMax }: BodyOptions,
  { release, lend }: HeldConnection,
): ReadableStream<Uint8Array> {
  const reader = body?.getReader()
  let settled = false
  let givenUp = false
  const settle: ReleaseConnection = (abandoned) => {
    signal?.removeEventListener('abort', abort)
    // A cancel or a read after the abort would otherwise free the connection before its time.
    if (!settled) release(abandoned)
    settled = true
  }
  // Not left to the next read: a caller that has aborted may never read again.
  const abort = () => {
    settle('abandoned')
    reader?.cancel(signal?.reason).catch(() => {})
  }
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  const connection = lend(() => {
    givenUp = true
    settle('abandoned')
    reader?.cancel().catch(() => {})
  })
  function refuseIfOver(): void {
    signal?.throwIfAborted()
    if (givenUp) throw new ObjectStoreError('busy', 'get', 'GivenUp')
  }
  async function read() {
    refuseIfOver()
    connection.isPaused = false
    const next = reader ? await readInTime(reader, answerSecondsMax) : endOfBody
    connection.isPaused = true
    connection.movedAt = performance.now()
    refuseIfOver()
    return next
  }
  const source = { read, cancel: async (reason: unknown) => reader?.cancel(reason) }
  return tap(source, {
    onEnd: settle,
    onFailure(error) {
      settle('abandoned')
      return signal?.aborted ? signal.reason : toObjectStoreError('get', error)
    },
    onCancel: () => settle('abandoned'),
  })
}

const endOfBody = { done: true, value: undefined } as const

/** @throws {ObjectStoreError} `unavailable` if the store sends nothing for too long; the body is cancelled. */
async function readInTime(reader: ReadableStreamDefaultReader<Uint8Array>, secondsMax: number) {
  let late = false
  const timer = setTimeout(() => {
    late = true
    reader.cancel().catch(() => {})
  }, secondsMax * 1000)
  try {
    const next = await reader.read()
    if (late) throw new ObjectStoreError('unavailable', 'get', 'TimedOut')
    return next
  } finally {
    clearTimeout(timer)
  }
}
