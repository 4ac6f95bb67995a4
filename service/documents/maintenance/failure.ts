import { ObjectStoreError } from '../../object-store/object-store.ts'
import { DocumentError, type DocumentErrorCode } from '../document-error.ts'

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
