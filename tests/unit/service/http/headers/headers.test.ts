import { describe, expect, it } from 'bun:test'
import {
  formatEntityTag,
  matchesStrongly,
  matchesWeakly,
  parseEntityTags,
  strongValues,
} from '../../../../../service/http/headers/entity-tag.ts'
import {
  documentMediaType,
  requireJson,
  requireUncoded,
} from '../../../../../service/http/headers/media-type.ts'
import { formatContentRange, parseRange } from '../../../../../service/http/headers/range.ts'
import { formatReprDigest, parseReprDigest } from '../../../../../service/http/headers/repr-digest.ts'
import { ProblemError } from '../../../../../service/http/problem.ts'

/** Code of the problem that `read` throws, or what it returns. */
function outcomeOf<T>(read: () => T): T | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProblemError) return error.code
    throw error
  }
}

describe('Repr-Digest (RFC 9530)', () => {
  // SHA-256 of the empty text, FIPS 180-4.
  const hex = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const base64 = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
  const digest = `sha256:${hex}` as const
  const parse = (header: string | null) => outcomeOf(() => parseReprDigest(header))

  it('becomes the digest that names a version, and back', () => {
    expect(parse(`sha-256=:${base64}:`)).toBe(digest)
    expect(formatReprDigest(digest)).toBe(`sha-256=:${base64}:`)
  })

  it('may be absent, and may stand beside other algorithms in any order', () => {
    expect(parse(null)).toBe(undefined)
    expect(parse(`sha-512=:AAAA:, sha-256=:${base64}:`)).toBe(digest)
    expect(parse(`sha-256=:${base64}:,\tunixsum=:AA==:`)).toBe(digest)
  })

  it('counts the last one of a key that comes twice (RFC 8941 section 4.2)', () => {
    const zeros = `${'A'.repeat(43)}=`
    expect(parse(`sha-256=:${zeros}:, sha-256=:${base64}:`)).toBe(digest)
  })

  it('is refused without sha-256, and in any other form', () => {
    expect(parse('')).toBe('digest_invalid')
    expect(parse('sha-512=:AAAA:')).toBe('digest_invalid')
    expect(parse(`sha-256=${base64}`)).toBe('digest_invalid')
    expect(parse(`sha-256="${base64}"`)).toBe('digest_invalid')
    expect(parse(`SHA-256=:${base64}:`)).toBe('digest_invalid')
    expect(parse(`sha-256=:${hex}:`)).toBe('digest_invalid')
    expect(parse(`sha-256 = :${base64}:`)).toBe('digest_invalid')
    expect(parse(`sha-256=:${base64}:;q=1`)).toBe('digest_invalid')
  })

  it('is refused for base64 of other than 32 bytes, or with bits that say nothing', () => {
    expect(parse('sha-256=:AAAA:')).toBe('digest_invalid')
    expect(parse(`sha-256=:${base64.replace('=', '')}:`)).toBe('digest_invalid')
    expect(parse(`sha-256=:${base64.replace('U=', 'V=')}:`)).toBe('digest_invalid')
    expect(parse(`sha-256=:${base64.replace('+', '-')}:`)).toBe('digest_invalid')
  })
})

describe('Range (RFC 9110 section 14.2)', () => {
  it('is from first to last, from first on, or a suffix', () => {
    expect(parseRange('bytes=0-0')).toEqual({ first: 0, last: 0 })
    expect(parseRange('bytes=5-9')).toEqual({ first: 5, last: 9 })
    expect(parseRange('bytes=5-')).toEqual({ first: 5 })
    expect(parseRange('bytes=-5')).toEqual({ suffix: 5 })
  })

  it('knows its unit without case, and spaces around the range', () => {
    expect(parseRange('Bytes= 1-2 ')).toEqual({ first: 1, last: 2 })
  })

  it('is ignored where it is absent, malformed, backwards, of several or in other units', () => {
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

  it('is answered with the bytes that are sent and how many there are', () => {
    expect(formatContentRange({ first: 2, last: 4 }, 10)).toBe('bytes 2-4/10')
  })
})

describe('entity tags (RFC 9110 section 8.8.3)', () => {
  const parse = (header: string | null) => outcomeOf(() => parseEntityTags('If-Match', header))

  it('are a list of quoted texts, weak ones among them, or "*"', () => {
    expect(parse('"a"')).toEqual(['"a"'])
    expect(parse(' "a" ,W/"b",\t"c,d" ')).toEqual(['"a"', 'W/"b"', '"c,d"'])
    expect(parse('""')).toEqual(['""'])
    expect(parse(' * ')).toBe('*')
    expect(parse(null)).toBe(undefined)
  })

  it('are refused without quotes, with spaces in them, run together, or as none at all', () => {
    const refused = [
      '',
      ' ',
      'a',
      '"a',
      'a"',
      '"a b"',
      '"a" "b"',
      '"a"b',
      'w/"a"',
      'W/ "a"',
      '*, "a"',
      '"a", *',
    ]
    expect(refused.map(parse)).toEqual(refused.map(() => 'request_invalid'))
  })

  it('compare strongly: a weak one equals none', () => {
    expect(matchesStrongly(['"x"', '"a"'], 'a')).toBe(true)
    expect(matchesStrongly(['W/"a"'], 'a')).toBe(false)
    expect(matchesStrongly('*', 'a')).toBe(true)
    expect(strongValues(['"a"', 'W/"b"', '"c"'])).toEqual(['a', 'c'])
  })

  it('compare weakly: the W/ does not count', () => {
    expect(matchesWeakly(['W/"a"'], 'a')).toBe(true)
    expect(matchesWeakly(['"a"'], 'a')).toBe(true)
    expect(matchesWeakly(['"A"', '"W/a"'], 'a')).toBe(false)
    expect(matchesWeakly('*', 'a')).toBe(true)
  })

  it('are quoted when they are sent', () => {
    expect(formatEntityTag('sha256:00')).toBe('"sha256:00"')
  })
})

describe('Content-Type of a document (RFC 9110 section 8.3.1)', () => {
  const read = (type?: string) => {
    const headers = new Headers(type === undefined ? {} : { 'content-type': type })
    return outcomeOf(() => documentMediaType(headers))
  }

  it('is kept as it was sent, with its parameters', () => {
    for (const type of ['text/plain', 'application/vnd.api+json; charset=utf-8', 'a/b;c="d \\" e"']) {
      expect(read(type)).toBe(type)
    }
  })

  it('is application/octet-stream where none was sent', () => {
    expect(read()).toBe('application/octet-stream')
    expect(read('')).toBe('application/octet-stream')
  })

  it('is refused where it is no media type, or longer than 255 characters', () => {
    for (const type of [
      'text',
      'text/',
      '/plain',
      'text/plain charset',
      'text/plain; a',
      'a/b, c/d',
      'a b/c',
    ]) {
      expect([type, read(type)]).toEqual([type, 'request_invalid'])
    }
    expect(read(`a/${'b'.repeat(253)}`)).toBe(`a/${'b'.repeat(253)}`)
    expect(read(`a/${'b'.repeat(254)}`)).toBe('request_invalid')
  })
})

describe('the form of a body', () => {
  const coded = (coding: string) =>
    outcomeOf(() => requireUncoded(new Headers({ 'content-encoding': coding })))
  const json = (type: string) => outcomeOf(() => requireJson(new Headers({ 'content-type': type })))

  it('is uncoded, whatever the case of "identity"', () => {
    expect(coded('Identity')).toBe(undefined)
    expect(outcomeOf(() => requireUncoded(new Headers()))).toBe(undefined)
    expect(coded('gzip')).toBe('media_type_unsupported')
    expect(coded('identity, gzip')).toBe('media_type_unsupported')
  })

  it('is JSON by its media type alone, whatever its parameters', () => {
    expect(json('application/json')).toBe(undefined)
    expect(json('Application/JSON ; charset=utf-8')).toBe(undefined)
    expect(json('application/problem+json')).toBe('media_type_unsupported')
    expect(json('text/json')).toBe('media_type_unsupported')
    expect(outcomeOf(() => requireJson(new Headers()))).toBe('media_type_unsupported')
  })
})
