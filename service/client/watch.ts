import type { Tag } from '../wire/answers.ts'
import { ProblemError } from './errors.ts'
import { type DocumentName, tagPath } from './references.ts'
import { isTransient, pause, pauseSeconds } from './retry.ts'
import { ifNoneMatch, tagOf } from './tags.ts'
import type { TransferLimits } from './transfer-limits.ts'
import type { Answer, Send } from './transport.ts'

export interface WatchOptions {
  /** ETag of the last move that the caller has seen; default: none, so the tag as it is comes first. */
  etag?: string | undefined
  /** Receives each failure that another try may overcome. */
  onTrouble?: ((error: unknown) => void) | undefined
  signal?: AbortSignal | undefined
}

/** As long as the service waits at most. */
const waitSeconds = 60
/** A connection on which nothing comes for that long is given up, since a broken one may never say so. */
const silentSecondsMax = waitSeconds + 30
/** Between two calls that are answered at once: by a replica that stops, or a proxy that drops `Prefer`. */
const pauseSecondsMin = 1

/** See `DocumentsClient.watchTag`. */
export async function* watchTag(
  { send, limits }: { send: Send; limits: TransferLimits },
  ref: DocumentName,
  tag: string,
  { etag, onTrouble, signal }: WatchOptions,
): AsyncGenerator<Tag | null, void, undefined> {
  const path = tagPath(ref, tag)
  let known = etag
  let failures = 0
  for (;;) {
    const startedAt = performance.now()
    const seen = await look(send, path, { known, signal })
    if ('trouble' in seen) {
      onTrouble?.(seen.trouble)
      failures += 1
      await pause(pauseSeconds(failures, seen.trouble, limits), signal)
      continue
    }
    failures = 0
    if (seen.tag !== undefined && seen.tag?.etag !== known) {
      known = seen.tag?.etag
      yield seen.tag
      continue
    }
    const seconds = (performance.now() - startedAt) / 1000
    if (seconds < pauseSecondsMin) await pause(pauseSecondsMin - seconds, signal)
  }
}

/** What one call has found: the tag, `null` for none, `undefined` if it is as known; or why another try is needed. */
type Seen = { tag: Tag | null | undefined } | { trouble: unknown }

async function look(
  send: Send,
  path: string,
  { known, signal }: { known: string | undefined; signal: AbortSignal | undefined },
): Promise<Seen> {
  const silent = AbortSignal.timeout(silentSecondsMax * 1000)
  const either = signal ? AbortSignal.any([signal, silent]) : silent
  const headers = { prefer: `wait=${waitSeconds}`, ...ifNoneMatch(known) }
  try {
    const answer: Answer = await send({ method: 'GET', path, headers, signal: either })
    return { tag: await tagOf(answer) }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (error instanceof ProblemError && error.status === 304) return { tag: undefined }
    if (error instanceof ProblemError && error.code === 'document_not_found') return { tag: null }
    if (silent.aborted || isTransient(error)) return { trouble: error }
    throw error
  }
}
