/**
 * Histories of one document: which operations clients have asked for, when, and what they were answered. The checks of
 * `linearizability.ts` and `at-rest.ts` read them, whether they come from the domain in memory or from real services.
 */

/** What a version carries in addition to its bytes; give every upload of a test a `createdBy` of its own to tell writers apart. */
export interface Facts {
  /** Bytes. */
  size: number
  contentType: string
  createdBy: string
}

/** ETags of tags, without quotes, one of which must be the tag's; `*` for any. */
export type Condition = readonly string[] | '*'

/** Digests of versions, one of which `latest` must be; `absent`: there must be no `latest`. */
export type LatestCondition = readonly string[] | 'absent'

/** What a client asks for. A listing is one `read` per version that it could have shown. */
export type Operation =
  | { kind: 'upload'; digest: string; facts: Facts; ifLatest?: LatestCondition | undefined }
  /** The completion of a ticket; `facts` are those of the ticket. */
  | { kind: 'complete'; ticket: string; digest: string; facts: Facts }
  /** A request for a ticket. Where the version is there already, it counts as an upload of it. */
  | { kind: 'ticket'; digest: string }
  | { kind: 'delete'; digest: string }
  /** The deletion by a retention rule, which spares the version that `latest` points to as well. */
  | { kind: 'retain'; digest: string }
  | { kind: 'moveTag'; tag: string; digest: string; ifMatch?: Condition | undefined; ifAbsent?: boolean }
  | { kind: 'removeTag'; tag: string; ifMatch?: Condition | undefined }
  | { kind: 'readTag'; tag: string }
  /** Reads bytes or metadata of the version that a tag points to. */
  | { kind: 'readByTag'; tag: string }
  /** Reads bytes or metadata of one version. */
  | { kind: 'read'; digest: string }
  /** A run of the sweeper. */
  | { kind: 'sweep' }
  /** Nothing is under way any more, and the sweeper has finished whatever was left. */
  | { kind: 'rest' }

/** Codes of the API's problems that say for certain that the operation has changed nothing. */
const refusals = [
  'document_not_found',
  'version_tagged',
  'version_locked',
  'version_unknown',
  'precondition_failed',
  'tag_protected',
  'upload_not_found',
  'digest_mismatch',
  'document_too_large',
  'body_incomplete',
  'conflict',
] as const

/** What a client was answered. What is left out is not checked. */
export type Result =
  | {
      code: 'ok'
      /** Of an upload or a completion: 201. Of a move: whether the tag is new. */
      created?: boolean | undefined
      /** Of an upload, a completion, or a read of a version. */
      facts?: Facts | undefined
      /** Of an upload or a completion: all tags of the version, ascending. */
      tags?: readonly string[] | undefined
      /** Of a read by a tag, or of a tag: what it points to. */
      digest?: string | undefined
      /** Of a move or a read of a tag. */
      etag?: string | undefined
    }
  /** Of a ticket: it was issued, because the version is not there. */
  | { code: 'issued' }
  | { code: (typeof refusals)[number] }

/** One operation of a history. */
export interface Entry {
  operation: Operation
  /** `null`: no answer, or one that does not say whether the operation has taken effect. */
  result: Result | null
  /** When it was asked for, on any clock that all entries share. */
  start: number
  /**
   * When it was answered. Without a result: after this it has no more effects, `Infinity` where that is not known; a
   * deletion without a result ends with the sweep that finishes it at the earliest.
   */
  end: number
  /**
   * Without a result: when its client stopped waiting for one. It may take effect later than that, but never undo what was
   * asked for after it and acknowledged.
   */
  givenUp?: number
}

/** Returns the result for a problem's code; `null` for codes that leave open whether something has changed. */
export function resultOfProblem(code: string): Result | null {
  const refusal = refusals.find((known) => known === code)
  return refusal ? { code: refusal } : null
}
