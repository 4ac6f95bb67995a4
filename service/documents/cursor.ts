import { createHmac, timingSafeEqual } from 'node:crypto'
import { DocumentError } from './document-error.ts'

/**
 * Opaque cursors, each bound to what it continues (`scope`: the tenant, the call and its filter) by an
 * HMAC-SHA256, so that one can neither be made up nor carried to another tenant or filter.
 */
export interface Cursors {
  seal(scope: readonly string[], position: string): string
  /** @throws {DocumentError} `cursor_invalid` */
  open(scope: readonly string[], cursor: string): string
}

export function createCursors(key: Uint8Array): Cursors {
  function mac(scope: readonly string[], position: string): Buffer {
    return createHmac('sha256', key)
      .update(JSON.stringify([...scope, position]))
      .digest()
  }

  return {
    seal(scope, position) {
      return `${Buffer.from(position).toString('base64url')}.${mac(scope, position).toString('base64url')}`
    },

    open(scope, cursor) {
      const [encoded = '', signature = '', ...rest] = cursor.split('.')
      const position = Buffer.from(encoded, 'base64url').toString()
      const expected = mac(scope, position)
      const given = Buffer.from(signature, 'base64url')
      const whole = rest.length === 0 && given.length === expected.length
      if (!whole || !timingSafeEqual(given, expected)) throw invalid()
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
