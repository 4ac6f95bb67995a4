import { describe, expect, it } from 'bun:test'
import {
  formatContentRange,
  formatRange,
  parseContentRange,
  parseRange,
} from '../../../../service/wire/byte-range.ts'

describe('Range (RFC 9110 section 14.2)', () => {
  it('goes from first to last, from first to the end, or is a suffix', () => {
    expect(parseRange('bytes=0-0')).toEqual({ first: 0, last: 0 })
    expect(parseRange('bytes=5-9')).toEqual({ first: 5, last: 9 })
    expect(parseRange('bytes=5-')).toEqual({ first: 5 })
    expect(parseRange('bytes=-5')).toEqual({ suffix: 5 })
  })

  it('has a unit in any case, and may have spaces around the range', () => {
    expect(parseRange('Bytes= 1-2 ')).toEqual({ first: 1, last: 2 })
  })

  it('is ignored if it is absent, malformed, backwards, of several or in other units', () => {
    const ignored = [
      null,
      '',
      'bytes',
      'bytes=',
      'bytes=-',
      'bytes=a-b',
      'bytes=1-2,4-5',
      'bytes=2-1',
      'items=0-1',
    ]
    expect(ignored.map((header) => parseRange(header))).toEqual(ignored.map(() => undefined))
    expect(parseRange('bytes=1.5-2')).toBe(undefined)
    expect(parseRange('bytes=--5')).toBe(undefined)
    expect(parseRange(`bytes=0-${'9'.repeat(16)}`)).toBe(undefined)
    expect(parseRange(`bytes=0-${'9'.repeat(15)}`)).toEqual({ first: 0, last: 999_999_999_999_999 })
  })

  it('is written as it is read', () => {
    const ranges = [{ first: 5, last: 9 }, { first: 5 }, { suffix: 5 }]
    expect(ranges.map(formatRange)).toEqual(['bytes=5-9', 'bytes=5-', 'bytes=-5'])
    expect(ranges.map((range) => parseRange(formatRange(range)))).toEqual(ranges)
  })
})

describe('Content-Range (RFC 9110 section 14.4)', () => {
  it('states which bytes are sent, and of how many', () => {
    expect(formatContentRange({ first: 2, last: 4 }, 10)).toBe('bytes 2-4/10')
    expect(parseContentRange('bytes 2-4/10')).toEqual({ first: 2, last: 4, size: 10 })
  })

  it('is refused if it is absent, of unknown size, backwards or beyond the end', () => {
    const refused = [null, '', 'bytes */10', 'bytes 2-4/*', 'bytes 4-2/10', 'bytes 2-10/10', 'items 2-4/10']
    expect(refused.map(parseContentRange)).toEqual(refused.map(() => null))
  })
})
