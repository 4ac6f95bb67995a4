import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto'
import { DocumentError } from '../document-error.ts'

/**
 * Makes and reads opaque cursors. Each is bound to the list that it continues (`scope`: the tenant, the call and its
 * filter), so that none can be made up or used for another tenant or filter, and encrypted: a position may hold what
 * the store says about itself.
 *
 * The encryption is AES-256-CTR under an HMAC-SHA256 of scope and position (RFC 2104) that is the initial counter as
 * well as the proof, as in SIV (RFC 5297 section 2.6): it needs no random numbers, and equal positions give equal cursors.
 */
export interface Cursors {
  /** Returns the cursor for a position in a list. */
  seal(scope: readonly string[], position: string): string
  /** Returns the position of a cursor. @throws {DocumentError} `cursor_invalid` */
  open(scope: readonly string[], cursor: string): string
}

/** Keys of one purpose in the order of their use: what the first makes, is read by every replica that knows it. */
export type Keys = readonly [Uint8Array, ...Uint8Array[]]

const macBytes = 32
const counterBytes = 16

/** @param keys each at least 32 bytes: the first seals, all open */
export function createCursors(keys: Keys): Cursors {
  const [first, ...others] = keys
  const sealer = createSealer(first)
  const sealers = [sealer, ...others.map(createSealer)]
  return {
    seal: sealer.seal,

    open(scope, cursor) {
      for (const { open } of sealers) {
        const position = open(scope, cursor)
        if (position !== undefined) return position
      }
      throw new DocumentError(
        'cursor_invalid',
        'This cursor does not belong to this listing. Use "nextCursor" of its last page, unchanged and with the same filter.',
      )
    },
  }
}

interface Sealer {
  seal: Cursors['seal']
  /** Returns the position of a cursor that this key has sealed for this list. */
  open(scope: readonly string[], cursor: string): string | undefined
}

function createSealer(key: Uint8Array): Sealer {
  const keyFor = (use: string) => createHmac('sha256', key).update(use).digest()
  const [macKey, cipherKey] = [keyFor('mac'), keyFor('cipher')]

  function seal(scope: readonly string[], position: string): string {
    const mac = createHmac('sha256', macKey)
      .update(JSON.stringify([...scope, position]))
      .digest()
    const cipher = createCipheriv('aes-256-ctr', cipherKey, mac.subarray(0, counterBytes))
    return `${cipher.update(Buffer.from(position)).toString('base64url')}.${mac.toString('base64url')}`
  }

  return {
    seal,

    open(scope, cursor) {
      const [encrypted = '', mac = ''] = cursor.split('.', 2)
      const counter = Buffer.from(mac, 'base64url')
      if (counter.length !== macBytes) return undefined
      const decipher = createDecipheriv('aes-256-ctr', cipherKey, counter.subarray(0, counterBytes))
      const position = decipher.update(Buffer.from(encrypted, 'base64url')).toString()
      // Compared as texts: several texts decode to the same bytes, and only one of them was issued.
      const expected = Buffer.from(seal(scope, position))
      const given = Buffer.from(cursor)
      return given.length === expected.length && timingSafeEqual(given, expected) ? position : undefined
    },
  }
}
