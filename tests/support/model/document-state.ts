import { latestTag } from '../../../service/wire/names.ts'
import type { Condition, Facts, LatestCondition } from './history.ts'

/** A version of the model document. */
export interface ModelVersion {
  facts: Facts
  /** Which operation has written it. */
  writer: string
  /** An upload, a completion or a move of a tag has been acknowledged for it since it was written. */
  acknowledged: boolean
  /** A deletion of it is under way: its bytes are still there, no tag points to it any more. */
  marked: boolean
}

/** A tag of the model document. An ETag that begins with `?` is one that no client has seen so far. */
export interface ModelTag {
  digest: string
  etag: string
}

/** A document as a single process without failures would keep it. Values are never changed in place. */
export interface DocumentState {
  versions: Readonly<Record<string, ModelVersion>>
  /** `latest` among them. */
  tags: Readonly<Record<string, ModelTag>>
  /** Digests of the versions, the one that was acknowledged last first. */
  order: readonly string[]
  /** Versions that were deleted and not acknowledged since. */
  gone: readonly string[]
  /** Tickets whose completion was acknowledged. */
  completed: readonly string[]
}

/** A document that has never been uploaded. */
export const emptyDocument: DocumentState = { versions: {}, tags: {}, order: [], gone: [], completed: [] }

/** How many versions a record notes in their order (ARCHITECTURE.md, "Key scheme"). */
const notedVersionsMax = 32

/** Returns a text that is equal for equal states. */
export function stateKey({ versions, tags, order, gone, completed }: DocumentState): string {
  return JSON.stringify([sorted(versions), sorted(tags), order, gone.toSorted(), completed.toSorted()])
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Returns the state with a version that no one has been promised yet. */
export function place(state: DocumentState, digest: string, facts: Facts, writer: string): DocumentState {
  const version = { facts, writer, acknowledged: false, marked: false }
  return { ...state, versions: { ...state.versions, [digest]: version } }
}

/** Returns the state after a promise about a version: it is the last one in the order, and not deleted. */
export function acknowledge(state: DocumentState, digest: string): DocumentState {
  const version = state.versions[digest]
  if (!version) return state
  return {
    ...state,
    versions: { ...state.versions, [digest]: { ...version, acknowledged: true } },
    gone: state.gone.filter((other) => other !== digest),
  }
}

/** Returns the states after a move of `latest` to a version that is there: which ETag the tag has may be open. */
export function moveLatest(state: DocumentState, digest: string, etag: string): DocumentState[] {
  const order = [digest, ...state.order.filter((other) => other !== digest)].slice(0, notedVersionsMax)
  const moved = { ...state, order }
  const current = state.tags[latestTag]
  const again = pointTag(moved, latestTag, { digest, etag })
  // An upload of the version that is the latest may count as a move or not.
  return current?.digest === digest ? [again, moved] : [again]
}

/** Returns the state with a tag at another place. */
export function pointTag(state: DocumentState, tag: string, to: ModelTag): DocumentState {
  return { ...state, tags: { ...state.tags, [tag]: to } }
}

/** Returns the state without a tag. */
export function dropTag(state: DocumentState, tag: string): DocumentState {
  const { [tag]: _, ...tags } = state.tags
  return { ...state, tags }
}

/** Returns the states in which a deletion of the version has begun, or was taken back. */
export function mark(state: DocumentState, digest: string, marked: boolean, etag: string): DocumentState[] {
  const version = state.versions[digest]
  if (!version) return []
  return followLatest({ ...state, versions: { ...state.versions, [digest]: { ...version, marked } } }, etag)
}

/** Returns the states in which a version is there and no longer promised: its deletion was noted and not carried out. */
export function unpromise(state: DocumentState, digest: string, etag: string): DocumentState[] {
  const version = state.versions[digest]
  if (!version) return []
  return remove(state, digest, etag).map((after) => place(after, digest, version.facts, version.writer))
}

/** Returns the states without the version. */
export function remove(state: DocumentState, digest: string, etag: string): DocumentState[] {
  const { [digest]: _, ...versions } = state.versions
  const gone = [...state.gone.filter((other) => other !== digest), digest]
  const order = state.order.filter((other) => other !== digest)
  return followLatest({ ...state, versions, order, gone }, etag)
}

/**
 * Returns the states in which `latest` points where it must: at the version that was acknowledged last of those that
 * are there and not being deleted. If none of those was, it may point at any, or be absent.
 */
function followLatest(state: DocumentState, etag: string): DocumentState[] {
  const isThere = (digest: string) => state.versions[digest]?.marked === false
  const current = state.tags[latestTag]
  const noted = state.order.find(isThere)
  if (noted !== undefined) {
    return current?.digest === noted ? [state] : [pointTag(state, latestTag, { digest: noted, etag })]
  }
  if (current && isThere(current.digest)) return [state]
  const any = Object.keys(state.versions).filter(isThere)
  return [dropTag(state, latestTag), ...any.map((digest) => pointTag(state, latestTag, { digest, etag }))]
}

/** Returns whether a version came back after its deletion and no one has been promised it since. */
export function isUnwanted(state: DocumentState, digest: string): boolean {
  return state.versions[digest]?.acknowledged === false && state.gone.includes(digest)
}

/** Returns the names of the tags that point to a version, ascending. */
export function tagsOf(state: DocumentState, digest: string): string[] {
  return Object.keys(state.tags)
    .filter((tag) => state.tags[tag]?.digest === digest)
    .sort()
}

/** What the whole history says about an ETag: whether a move was answered with it. */
export type IsOfKnownMove = (etag: string) => boolean

/** Returns the state in which the tag has this ETag, `null` if it cannot have it. */
export function withEtag(
  state: DocumentState,
  tag: string,
  etag: string,
  isOfKnownMove: IsOfKnownMove,
): DocumentState | null {
  const current = state.tags[tag]
  if (!current) return null
  if (current.etag === etag) return state
  if (!current.etag.startsWith('?') || isOfKnownMove(etag)) return null
  return pointTag(state, tag, { ...current, etag })
}

/** Returns whether `latest` is what an upload asks for. */
export function meetsLatest({ tags }: DocumentState, condition: LatestCondition | undefined): boolean {
  const latest = tags[latestTag]
  if (condition === undefined) return true
  return condition === 'absent' ? !latest : latest !== undefined && condition.includes(latest.digest)
}

/** Returns the states in which a condition about a tag holds; none if it cannot hold. */
export function whereHolds(
  state: DocumentState,
  tag: string,
  ifMatch: Condition | undefined,
  isOfKnownMove: IsOfKnownMove,
): DocumentState[] {
  if (ifMatch === undefined) return [state]
  if (ifMatch === '*') return state.tags[tag] ? [state] : []
  return ifMatch
    .map((etag) => withEtag(state, tag, etag, isOfKnownMove))
    .filter((possible) => possible !== null)
}

/** Returns whether a condition about a tag can fail. */
export function canFail(state: DocumentState, tag: string, ifMatch: Condition | undefined): boolean {
  if (ifMatch === undefined) return false
  const current = state.tags[tag]
  return !current || (ifMatch !== '*' && !ifMatch.includes(current.etag))
}
