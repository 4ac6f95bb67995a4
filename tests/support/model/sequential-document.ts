import { latestTag } from '../../../service/wire/names.ts'
import {
  acknowledge,
  canFail,
  type DocumentState,
  dropTag,
  type IsOfKnownMove,
  isUnwanted,
  mark,
  meetsLatest,
  moveLatest,
  place,
  pointTag,
  remove,
  tagsOf,
  unpromise,
  whereHolds,
  withEtag,
} from './document-state.ts'
import type { Entry, Facts, Operation, Result } from './history.ts'

/** What the rules need to know of the history next to the entry itself. */
export interface Surroundings {
  /** Number of the entry in its history: names what it writes. */
  index: number
  isOfKnownMove: IsOfKnownMove
  /** Whether another deletion of the same version was under way at the same time: both may be answered that it is deleted. */
  isSharedDeletion?: boolean
}

type Ok = Extract<Result, { code: 'ok' }>
type Upload = Extract<Operation, { kind: 'upload' | 'complete' }>
type Removal = Extract<Operation, { kind: 'delete' | 'retain' }>
type Of<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>

/**
 * Returns the states of the document right after an operation took effect with this result; empty if the result is not
 * legal in `state`. An entry without a result is taken for one that succeeded: leaving it out is the other possibility.
 */
export function statesAfter(state: DocumentState, entry: Entry, around: Surroundings): DocumentState[] {
  const { operation } = entry
  const result: Result = entry.result ?? { code: 'ok' }
  switch (operation.kind) {
    case 'upload':
      return uploaded(state, operation, result, around)
    case 'complete':
      return completed(state, operation, result, around)
    case 'ticket':
      return ticketed(state, operation, result, around)
    case 'delete':
    case 'retain':
      return removed(state, operation, result, around)
    case 'moveTag':
      return moved(state, operation, result, around)
    case 'removeTag':
      return untagged(state, operation, result, around)
    case 'readTag':
    case 'readByTag':
      return readThroughTag(state, operation, result, around)
    case 'read':
      return readVersion(state, operation, result)
    case 'sweep':
      return [state]
    case 'rest':
      return isAtRest(state) ? [state] : []
  }
}

/**
 * Returns the states into which an operation that is under way may bring the document before it is answered, or without
 * ever being answered:
 * - an upload shows its bytes before it is acknowledged, and puts them again if they are deleted meanwhile;
 * - a completion takes back bytes that it has brought back in vain, and so does the sweeper;
 * - a deletion first moves `latest` away, then removes the bytes; without a result, it may have been taken back, or noted
 *   without being carried out.
 */
export function statesDuring(state: DocumentState, entry: Entry, around: Surroundings): DocumentState[] {
  const { operation, result } = entry
  if (operation.kind === 'sweep' || operation.kind === 'rest') {
    return state.gone.flatMap((digest) => takenBack(state, digest, around))
  }
  // What ends in a conflict may have shown its bytes before; what is refused because `latest` moved leaves them there.
  const mayShow = ['ok', 'conflict', ...(operation.kind === 'upload' ? ['precondition_failed'] : [])]
  if (result !== null && !mayShow.includes(result.code)) return []
  switch (operation.kind) {
    case 'upload':
    case 'complete': {
      const { digest, facts } = operation
      if (!state.versions[digest]) return [place(state, digest, facts, writerOf(operation, around))]
      const takesBack = operation.kind === 'complete' || operation.ifLatest !== undefined
      return takesBack ? takenBack(state, digest, around) : []
    }
    case 'delete':
    case 'retain': {
      const version = state.versions[operation.digest]
      if (!version) return []
      if (version.marked) {
        if (result !== null) return []
        const etag = etagOf(around)
        return [...mark(state, operation.digest, false, etag), ...unpromise(state, operation.digest, etag)]
      }
      return isFree(state, operation) ? mark(state, operation.digest, true, etagOf(around)) : []
    }
    default:
      return []
  }
}

/** Every attempt to complete a ticket writes the same version on behalf of the same upload. */
function writerOf(operation: Upload, { index }: Surroundings): string {
  return operation.kind === 'complete' ? `ticket ${operation.ticket}` : `upload ${index}`
}

/** The ETag of a tag that this entry has moved, as long as no client has seen it. */
function etagOf({ index }: Surroundings): string {
  return `?${index}`
}

/** Removes a version that came back after its deletion, and that no one has been promised since. */
function takenBack(state: DocumentState, digest: string, around: Surroundings): DocumentState[] {
  return isUnwanted(state, digest) ? remove(state, digest, etagOf(around)) : []
}

/** No deletion is left half-way, and nothing is there that was only brought back in vain. */
function isAtRest(state: DocumentState): boolean {
  return Object.entries(state.versions).every(([digest, { marked }]) => !marked && !isUnwanted(state, digest))
}

/** An upload that is refused because of its condition moves nothing. */
function uploaded(
  state: DocumentState,
  upload: Of<'upload'>,
  result: Result,
  around: Surroundings,
): DocumentState[] {
  const holds = meetsLatest(state, upload.ifLatest)
  if (result.code === 'precondition_failed') return holds ? [] : [state]
  if (result.code !== 'ok') return [state]
  return holds ? accepted(state, upload, result, around) : []
}

/** An upload was acknowledged: the version is there, it is the latest, and the first writer's facts are answered. */
function accepted(state: DocumentState, upload: Upload, result: Ok, around: Surroundings): DocumentState[] {
  const { digest, facts } = upload
  const writer = writerOf(upload, around)
  const there = state.versions[digest]
  if (there?.marked) return []
  if (!there && result.created === false) return []
  if (there && there.writer !== writer && result.created === true) return []
  if (!areEqual(result.facts, there?.facts ?? facts)) return []
  return promised(there ? state : place(state, digest, facts, writer), digest, result, around)
}

function promised(state: DocumentState, digest: string, result: Ok, around: Surroundings): DocumentState[] {
  return moveLatest(acknowledge(state, digest), digest, etagOf(around)).filter(
    (after) => result.tags === undefined || Bun.deepEquals(tagsOf(after, digest), [...result.tags]),
  )
}

/** A ticket is completed once; a repetition changes nothing and is never answered with a second 201. */
function completed(
  state: DocumentState,
  operation: Of<'complete'>,
  result: Result,
  around: Surroundings,
): DocumentState[] {
  if (result.code !== 'ok') return [state]
  const { ticket } = operation
  if (state.completed.includes(ticket)) return result.created === true ? [] : [state]
  const noted = { ...state, completed: [...state.completed, ticket] }
  return accepted(noted, operation, result, around)
}

function ticketed(
  state: DocumentState,
  { digest }: Of<'ticket'>,
  result: Result,
  around: Surroundings,
): DocumentState[] {
  const there = state.versions[digest]
  if (result.code === 'issued') return there ? [] : [state]
  if (result.code !== 'ok') return [state]
  if (!there || there.marked || !areEqual(result.facts, there.facts)) return []
  return promised(state, digest, result, around)
}

/** No tag but `latest` may point to a version that is deleted; for a retention rule, not even that. */
function isFree(state: DocumentState, { kind, digest }: Removal): boolean {
  return tagsOf(state, digest).every((tag) => tag === latestTag && kind === 'delete')
}

function removed(
  state: DocumentState,
  removal: Removal,
  { code }: Result,
  around: Surroundings,
): DocumentState[] {
  const there = state.versions[removal.digest]
  switch (code) {
    case 'ok':
      if (!there && around.isSharedDeletion && state.gone.includes(removal.digest)) return [state]
      return there && isFree(state, removal) ? remove(state, removal.digest, etagOf(around)) : []
    case 'document_not_found':
      return there ? [] : [state]
    case 'version_tagged':
      return isFree(state, removal) ? [] : [state]
    default:
      return [state]
  }
}

function moved(
  state: DocumentState,
  { tag, digest, ifMatch, ifAbsent = false }: Of<'moveTag'>,
  result: Result,
  around: Surroundings,
): DocumentState[] {
  const there = state.versions[digest]
  if (result.code === 'version_unknown') return there ? [] : [state]
  const isTaken = ifAbsent && state.tags[tag] !== undefined
  if (result.code === 'precondition_failed') return isTaken || canFail(state, tag, ifMatch) ? [state] : []
  if (result.code !== 'ok') return [state]
  if (!there || there.marked || isTaken) return []
  if (result.created !== undefined && result.created !== (state.tags[tag] === undefined)) return []
  const etag = result.etag ?? etagOf(around)
  return whereHolds(state, tag, ifMatch, around.isOfKnownMove).flatMap((possible) => {
    const after = pointTag(acknowledge(possible, digest), tag, { digest, etag })
    // A move of `latest` by hand counts in the order like an upload.
    return tag === latestTag ? moveLatest(after, digest, etag).slice(0, 1) : [after]
  })
}

function untagged(
  state: DocumentState,
  { tag, ifMatch }: Of<'removeTag'>,
  { code }: Result,
  { isOfKnownMove }: Surroundings,
): DocumentState[] {
  const there = state.tags[tag]
  switch (code) {
    case 'ok':
      return there ? whereHolds(state, tag, ifMatch, isOfKnownMove).map((held) => dropTag(held, tag)) : []
    case 'document_not_found':
      return there ? [] : [state]
    case 'precondition_failed':
      return canFail(state, tag, ifMatch) ? [state] : []
    default:
      return [state]
  }
}

function readThroughTag(
  state: DocumentState,
  { kind, tag }: Of<'readTag' | 'readByTag'>,
  result: Result,
  around: Surroundings,
): DocumentState[] {
  const there = state.tags[tag]
  if (result.code === 'document_not_found') return there ? [] : [state]
  if (result.code !== 'ok') return [state]
  if (!there && tag === latestTag) {
    return adopted(state, around).flatMap((after) => readThroughTag(after, { kind, tag }, result, around))
  }
  if (!there || (result.digest !== undefined && result.digest !== there.digest)) return []
  if (result.facts && !areEqual(result.facts, state.versions[there.digest]?.facts)) return []
  if (result.etag === undefined) return [state]
  const seen = withEtag(state, tag, result.etag, around.isOfKnownMove)
  return seen ? [seen] : []
}

/** Who reads the latest version of a document that has only versions no one was promised makes one of them the latest. */
function adopted(state: DocumentState, around: Surroundings): DocumentState[] {
  return Object.keys(state.versions)
    .filter((digest) => !state.versions[digest]?.marked && !state.gone.includes(digest))
    .flatMap((digest) => moveLatest(acknowledge(state, digest), digest, etagOf(around)))
}

function readVersion(state: DocumentState, { digest }: Of<'read'>, result: Result): DocumentState[] {
  const there = state.versions[digest]
  if (result.code === 'document_not_found') return there ? [] : [state]
  if (result.code !== 'ok') return [state]
  return there && areEqual(result.facts, there.facts) ? [state] : []
}

/** What was not answered is not compared. */
function areEqual(answered: Facts | undefined, expected: Facts | undefined): boolean {
  return answered === undefined || Bun.deepEquals(answered, expected)
}
