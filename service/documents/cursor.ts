import { createHmac, timingSafeEqual } from 'node:crypto'
import { DocumentError } from './document-error.ts'

/**
 * Makes and reads opaque cursors. Each is bound to the list that it continues (`scope`: the tenant, the call and its
 * filter) by an HMAC-SHA256 (RFC 2104), so that none can be made up or used for another tenant or filter.
 */
export interface Cursors {
  /** Returns the cursor for a position in a list. */
  seal(scope: readonly string[], position: string): string
  /** Returns the position of a cursor. @throws {DocumentError} `cursor_invalid` */
  open(scope: readonly string[], cursor: string): string
}

/** @param key at least 32 bytes, the same on every replica */
export function createCursors(key: Uint8Array): Cursors {
  function mac(scope: readonly string[], position: string): Buffer {
    return createHmac('sha256', key)
      .update(JSON.stringify([...scope, position]))
      .digest()
  }

  function seal(scope: readonly string[], position: string): string {
    return `${Buffer.from(position).toString('base64url')}.${mac(scope, position).toString('base64url')}`
  }

  return {
    seal,

    open(scope, cursor) {
      const [encoded = ''] = cursor.split('.', 1)
      const position = Buffer.from(encoded, 'base64url').toString()
      // Compared as texts: several texts decode to the same bytes, and only one of them was issued.
      const expected = Buffer.from(seal(scope, position))
      const given = Buffer.from(cursor)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalid()
      return position
    },
  }
}

function invalid(): DocumentError {
  return new DocumentError(
    'cursor_invalid',
    'This cursor does not belong to this listing. Use "nextCursor" of its last page, unchanged and with the same filter.',
  )
}
