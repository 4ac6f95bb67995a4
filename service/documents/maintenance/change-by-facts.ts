import { limits } from '../../limits.ts'
import type { DocumentRef } from '../../wire/names.ts'
import { DocumentError } from '../document-error.ts'
import { type DocumentRecord, emptyRecord } from '../document-record.ts'
import type { Changed, Records } from '../record-store.ts'

export interface FactualChange<Facts, T> {
  /** Looks into the store at what the change rests on; `record` is the one that was read before. */
  look(record: DocumentRecord): Promise<Facts>
  /** Computes the change. */
  change(record: DocumentRecord, facts: Facts): Changed<T>
  signal?: AbortSignal | undefined
}

/**
 * Changes a record by what is in the store, while the service runs: no other client has changed it between the look and
 * the write. Looks again if one has.
 *
 * @param records of this run alone: changes by the same process would not count as those of another client.
 * @returns what the change returned.
 * @throws {DocumentError} `busy` if other clients keep changing the record, and those of {@link Records.change}.
 */
export async function changeByFacts<Facts, T>(
  records: Records,
  ref: DocumentRef,
  { look, change, signal }: FactualChange<Facts, T>,
): Promise<T> {
  for (let attempt = 0; attempt < limits.recordAttemptsMax; attempt += 1) {
    signal?.throwIfAborted()
    const seen = await records.read(ref, signal)
    const since = records.moment()
    const facts = await look(seen)
    const changed = await records.change<{ result: T } | null>(ref, (state) => {
      if (state.since > since && !isAbsent(state.record)) return { result: null }
      const next = change(state.record, facts)
      const result = { result: next.result }
      return next.to && next.to !== state.record ? { ...next, result } : { result }
    })
    if (changed) return changed.result
  }
  throw new DocumentError('busy', 'Too many clients are changing this document at once. Try again.')
}

/** A record is never removed: of a document that has none, no deletion has ever begun. */
function isAbsent(record: DocumentRecord): boolean {
  return Bun.deepEquals(record, emptyRecord)
}
