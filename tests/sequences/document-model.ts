import { type DocumentState, emptyDocument, tagsOf } from '../support/model/document-state.ts'
import type { Facts, Operation } from '../support/model/history.ts'
import { statesAfter } from '../support/model/sequential-document.ts'

/** A version as the API shows it, except for its time. */
export type ModelVersion = Facts & { digest: string; tags: string[] }

/** One document as its model (`support/model/`) keeps it when operations follow one after the other. */
export class DocumentModel {
  #state: DocumentState = emptyDocument
  #applied = 0

  /** Digests of all versions, ascending. */
  digests(): string[] {
    return Object.keys(this.#state.versions).sort()
  }

  /** Returns a version; `undefined` if it is absent. */
  version(digest: string): ModelVersion | undefined {
    const version = this.#state.versions[digest]
    return version && { digest, ...version.facts, tags: tagsOf(this.#state, digest) }
  }

  /** Returns the digest of the version that a tag points to. */
  tagged(tag: string): string | undefined {
    return this.#state.tags[tag]?.digest
  }

  /** Returns what the document is after an operation that succeeded; this one stays as it is. */
  after(operation: Operation): DocumentModel {
    const now = this.#applied + 1
    const entry = { operation, result: { code: 'ok' as const }, start: now, end: now }
    const [state] = statesAfter(this.#state, entry, { index: now, isOfKnownMove: () => false })
    if (!state)
      throw new Error(`${JSON.stringify(operation)} cannot succeed in ${JSON.stringify(this.#state)}`)
    const next = new DocumentModel()
    next.#state = state
    next.#applied = now
    return next
  }
}
