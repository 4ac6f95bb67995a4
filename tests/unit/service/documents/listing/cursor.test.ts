import { describe, expect, it } from 'bun:test'
import { DocumentError } from '../../../../../service/documents/document-error.ts'
import { createCursors } from '../../../../../service/documents/listing/cursor.ts'

const key = new Uint8Array(32).fill(1)
const cursors = createCursors([key])
const scope = ['documents', 'acme', 'definitions', '', '']

function open(cursor: string, at: readonly string[] = scope, opener = cursors): string {
  try {
    return opener.open(at, cursor)
  } catch (error) {
    if (error instanceof DocumentError) return error.code
    throw error
  }
}

describe('a cursor', () => {
  it('returns its position for the same listing', () => {
    const cursor = cursors.seal(scope, 'a.txt/00ff')
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/)
    expect(open(cursor)).toBe('a.txt/00ff')
    expect(open(cursors.seal(scope, ''))).toBe('')
    expect(open(cursors.seal(scope, 'ä\u{1F600}'))).toBe('ä\u{1F600}')
  })

  it('does not reveal its position', () => {
    const text = 'docs/tenants/acme/documents/a.txt'
    const [encrypted = ''] = cursors.seal(scope, text).split('.')
    expect(Buffer.from(encrypted, 'base64url')).toHaveLength(text.length)
    // Two positions share no key stream, so that one that is known reveals nothing about the other.
    const [other = ''] = cursors.seal(scope, text.replace('a.txt', 'b.txt')).split('.')
    expect(other.slice(0, 8)).not.toBe(encrypted.slice(0, 8))
    expect(Buffer.from(encrypted, 'base64url').toString()).not.toContain('acme')
  })

  it('is valid on every replica with the same key, and nowhere else', () => {
    const cursor = cursors.seal(scope, 'a')
    expect(open(cursor, scope, createCursors([new Uint8Array(32).fill(1)]))).toBe('a')
    expect(open(cursor, scope, createCursors([new Uint8Array(32).fill(2)]))).toBe('cursor_invalid')
  })

  it('is valid if it was sealed by any key of the replica, so that keys can rotate; the first one seals', () => {
    const [old, fresh] = [key, new Uint8Array(32).fill(2)]
    const [before, during, after] = [cursors, createCursors([old, fresh]), createCursors([fresh, old])]
    const sealed = [before, during, after].map((each) => each.seal(scope, 'a'))
    expect(sealed.map((cursor) => open(cursor, scope, during))).toEqual(['a', 'a', 'a'])
    expect(sealed.map((cursor) => open(cursor, scope, after))).toEqual(['a', 'a', 'a'])
    expect(sealed.map((cursor) => open(cursor, scope, before))).toEqual(['a', 'a', 'cursor_invalid'])
  })

  it('belongs to its tenant, its call and its filter', () => {
    const cursor = cursors.seal(scope, 'a')
    expect(open(cursor, ['documents', 'globex', 'definitions', '', ''])).toBe('cursor_invalid')
    expect(open(cursor, ['versions', 'acme', 'definitions', '', ''])).toBe('cursor_invalid')
    expect(open(cursor, ['documents', 'acme', '', '', ''])).toBe('cursor_invalid')
    // The same letters, cut at other places.
    expect(open(cursors.seal(['a', 'bc'], 'd'), ['ab', 'c'])).toBe('cursor_invalid')
    expect(open(cursors.seal(['a'], 'b'), ['a', 'b'])).toBe('cursor_invalid')
  })

  it('cannot be made up, changed, cut or written in another way', () => {
    const cursor = cursors.seal(scope, 'position')
    const [position = '', signature = ''] = cursor.split('.')
    const forged = [
      '',
      '.',
      position,
      `.${signature}`,
      `${position}.`,
      `${Buffer.from('other').toString('base64url')}.${signature}`,
      `${position}.${signature.slice(0, -1)}`,
      `${position}=.${signature}`,
      `${position}!.${signature}`,
      `${cursor}=`,
      `${cursor}.`,
      `${cursor}.x`,
      ` ${cursor}`,
      `${cursor.slice(0, -1)}${cursor.endsWith('A') ? 'B' : 'A'}`,
    ]
    expect(forged.map((text) => open(text))).toEqual(forged.map(() => 'cursor_invalid'))
    expect(open(cursor)).toBe('position')
  })
})
