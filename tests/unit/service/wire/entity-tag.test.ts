import { describe, expect, it } from 'bun:test'
import { formatEntityTag, parseEntityTag } from '../../../../service/wire/entity-tag.ts'

describe('ETag (RFC 9110 section 8.8.3)', () => {
  it('is the opaque value in quotes, and may have been made weak by a proxy', () => {
    expect(formatEntityTag('sha256:00')).toBe('"sha256:00"')
    expect(parseEntityTag('"sha256:00"')).toBe('sha256:00')
    expect(parseEntityTag('W/"sha256:00"')).toBe('sha256:00')
  })

  it('is null if it is absent or has no quotes', () => {
    expect([null, 'sha256:00', '"a"b"'].map(parseEntityTag)).toEqual([null, null, null])
  })
})
