import { latestTag } from '../../../service/wire/names.ts'
import type { Entry, Facts } from './history.ts'
import { checkLinearizable, type Verdict } from './linearizability.ts'

/** A document when nothing is under way any more and the sweeper has run. */
export interface AtRest {
  /** What a read of each version that the history names has given; `null` for absent. */
  versions: Readonly<Record<string, { facts: Facts; bytes: 'intact' | 'damaged' } | null>>
  /** Digests of the versions that the listings show. */
  listed: readonly string[]
  /** What a read of each tag that the history names has given, `latest` among them; `null` for absent. */
  tags: Readonly<Record<string, { digest: string; etag?: string } | null>>
  /** Digests that the list by each of these tags, but `latest`, shows for the document. */
  tagged: Readonly<Record<string, readonly string[]>>
}

/**
 * Returns what is wrong with a document at rest after a history, as sentences; empty if all promises were kept:
 * - what was acknowledged and not deleted is readable, listed, and byte-equal;
 * - what was deleted is absent until it is uploaded again;
 * - no tag dangles, and the list by each tag shows what the tag shows;
 * - `latest` is the version that was acknowledged last, and a document with versions has one;
 * - the first writer's metadata stays, and conditional moves of tags are decided one after the other: the history,
 *   with what is read in the end, is linearizable.
 */
export function brokenPromises(history: readonly Entry[], rest: AtRest): string[] {
  const decided = history.map((entry) => ({ ...entry, end: Math.min(entry.end, entry.givenUp ?? Infinity) }))
  const quick = [
    ...damaged(rest),
    ...unequalListings(rest),
    ...dangling(rest),
    ...wronglyTagged(rest),
    ...lost(decided, rest),
    ...raised(decided, rest),
    ...undoneMoves(decided, rest),
    ...wrongLatest(decided, rest),
  ]
  // What a simple rule explains needs no search; the search says less clearly what is wrong.
  return quick.length > 0 ? quick : unexplained(checkLinearizable(withRest(history, rest)))
}

function unexplained({ linearizable, stuckAt }: Verdict): string[] {
  if (linearizable === 'yes') return []
  return [linearizable === 'no' ? `not linearizable: ${stuckAt}` : `undecided: ${stuckAt}`]
}

/** Returns the history, followed by what was found at rest: nothing of it has effects after that. */
function withRest(history: readonly Entry[], { versions, tags }: AtRest): Entry[] {
  const times = history.flatMap(({ start, end }) => (Number.isFinite(end) ? [start, end] : [start]))
  const lastEffect = Math.max(0, ...times)
  const ended = history.map((entry) => ({ ...entry, end: Math.min(entry.end, lastEffect) }))
  const at = (time: number) => ({ start: time, end: time })
  const rest: Entry = { operation: { kind: 'rest' }, result: { code: 'ok' }, ...at(lastEffect + 1) }
  const when = at(lastEffect + 2)
  const reads = Object.entries(versions).map(
    ([digest, found]): Entry => ({
      operation: { kind: 'read', digest },
      result: found ? { code: 'ok', facts: found.facts } : { code: 'document_not_found' },
      ...when,
    }),
  )
  const tagReads = Object.entries(tags).map(
    ([tag, found]): Entry => ({
      operation: { kind: 'readTag', tag },
      result: found ? { code: 'ok', ...found } : { code: 'document_not_found' },
      ...when,
    }),
  )
  return [...ended, rest, ...reads, ...tagReads]
}

function damaged({ versions }: AtRest): string[] {
  return Object.entries(versions)
    .filter(([, found]) => found?.bytes === 'damaged')
    .map(([digest]) => `the bytes of ${digest} are not those that were uploaded`)
}

function unequalListings({ versions, listed }: AtRest): string[] {
  const readable = Object.keys(versions).filter((digest) => versions[digest])
  return [
    ...readable.filter((digest) => !listed.includes(digest)).map((digest) => `${digest} is not listed`),
    ...listed.filter((digest) => !versions[digest]).map((digest) => `${digest} is listed and not readable`),
  ]
}

function dangling({ versions, tags }: AtRest): string[] {
  return Object.entries(tags).flatMap(([tag, found]) =>
    found && !versions[found.digest] ? [`the tag ${tag} dangles: ${found.digest} is absent`] : [],
  )
}

function wronglyTagged({ tags, tagged }: AtRest): string[] {
  return Object.entries(tagged).flatMap(([tag, listed]) => {
    const digest = tags[tag]?.digest
    const expected = digest === undefined ? [] : [digest]
    if (Bun.deepEquals(listed, expected)) return []
    return [`the list by ${tag} shows ${listed.join(', ') || 'nothing'} instead of ${digest ?? 'nothing'}`]
  })
}

/** Entries that have promised a version: uploads, completions, and requests for a ticket that found it. */
function promises(history: readonly Entry[]): (Entry & { digest: string })[] {
  return history.flatMap((entry) => {
    const { operation, result } = entry
    const isUpload =
      operation.kind === 'upload' || operation.kind === 'complete' || operation.kind === 'ticket'
    return isUpload && result?.code === 'ok' ? [{ ...entry, digest: operation.digest }] : []
  })
}

/** Entries that have, or may have, deleted this version. */
function deletionsOf(history: readonly Entry[], digest: string): Entry[] {
  return history.filter(
    ({ operation, result }) =>
      (operation.kind === 'delete' || operation.kind === 'retain') &&
      operation.digest === digest &&
      (result === null || result.code === 'ok'),
  )
}

/** Promises that no deletion has, or may have, ended. */
function keptPromises(history: readonly Entry[]): (Entry & { digest: string })[] {
  return (
    promises(history)
      // A repeated completion promises nothing new.
      .filter(({ operation, result }) => operation.kind !== 'complete' || isNew(result))
      .filter(({ digest, start }) => deletionsOf(history, digest).every(({ end }) => end < start))
  )
}

function isNew(result: Entry['result']): boolean {
  return result?.code === 'ok' && result.created === true
}

function lost(history: readonly Entry[], { versions }: AtRest): string[] {
  const missing = new Set(
    keptPromises(history)
      .map(({ digest }) => digest)
      .filter((digest) => !versions[digest]),
  )
  return [...missing].map((digest) => `${digest} was acknowledged and not deleted, and it is lost`)
}

function raised(history: readonly Entry[], { versions }: AtRest): string[] {
  const isBack = (digest: string) => {
    const uploads = history.filter(
      ({ operation, result }) =>
        'digest' in operation &&
        (operation.kind === 'upload' || operation.kind === 'complete') &&
        operation.digest === digest &&
        // What is refused because `latest` moved leaves its bytes, which a ticket or a tag may make count.
        (result === null || result.code === 'ok' || result.code === 'precondition_failed'),
    )
    return deletionsOf(history, digest).some(
      ({ result, start }) => result !== null && uploads.every(({ end }) => end < start),
    )
  }
  return Object.keys(versions)
    .filter((digest) => versions[digest] && isBack(digest))
    .map((digest) => `${digest} was deleted and not uploaded again, and it is back`)
}

function undoneMoves(history: readonly Entry[], { tags }: AtRest): string[] {
  return Object.entries(tags).flatMap(([tag, found]) => {
    const moves = history.filter(
      ({ operation, result }) =>
        (operation.kind === 'moveTag' || operation.kind === 'removeTag') &&
        operation.tag === tag &&
        (result === null || result.code === 'ok'),
    )
    const last = moves.find(
      ({ start, result }) =>
        result !== null && moves.every((other) => other.start === start || other.end < start),
    )
    if (tag === latestTag || last?.operation.kind !== 'moveTag' || last.operation.digest === found?.digest)
      return []
    return [`${tag} was moved to ${last.operation.digest} last, and points to ${found?.digest ?? 'nothing'}`]
  })
}

function wrongLatest(history: readonly Entry[], { versions, tags }: AtRest): string[] {
  const latest = tags[latestTag]
  if (!latest) {
    // Also one that was never acknowledged: it becomes the latest when it is all there is.
    const there = Object.keys(versions).find((digest) => versions[digest])
    return there ? [`${there} is there, and nothing is the latest`] : []
  }
  const isLast = ({ operation, start }: Entry) =>
    history.every((other) => other.operation === operation || !mayMoveLatest(other) || other.end < start)
  const last = keptPromises(history).find(isLast)
  if (!last || last.digest === latest.digest) return []
  return [`${last.digest} was acknowledged last, and ${latest.digest} is the latest`]
}

function mayMoveLatest({ operation, result }: Entry): boolean {
  const { kind } = operation
  const isMove = kind === 'moveTag' && operation.tag === latestTag
  const isUpload = kind === 'upload' || kind === 'complete' || kind === 'ticket'
  return (isMove || isUpload) && (result === null || result.code === 'ok')
}
