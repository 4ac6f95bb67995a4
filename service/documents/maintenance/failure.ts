import { ObjectStoreError } from '../../object-store/object-store.ts'
import type { DocumentRef } from '../../wire/names.ts'
import { DocumentError, type DocumentErrorCode } from '../document-error.ts'
import type { DocumentRecord } from '../document-record.ts'
import type { Records } from '../record-store.ts'

/**
 * Returns whether an operation on documents failed in this way. If it failed because a store did, then that is what
 * matters: maintenance continues later, whatever the document.
 *
 * @throws {ObjectStoreError} the failure of the store.
 */
export function isFailureOf(error: unknown, code: DocumentErrorCode): boolean {
  if (!(error instanceof DocumentError)) return false
  if (error.cause instanceof ObjectStoreError) throw error.cause
  return error.code === code
}

/** Returns a record as it is now, or `null` for a damaged one. */
export async function readableRecord(
  records: Records,
  ref: DocumentRef,
  signal?: AbortSignal,
): Promise<DocumentRecord | null> {
  try {
    return await records.read(ref, signal)
  } catch (error) {
    if (isFailureOf(error, 'integrity_violated')) return null
    throw error
  }
}
