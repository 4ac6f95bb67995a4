import { describe, expect, it } from 'bun:test'
import { contentLength } from '../../../../../service/http/headers/content-length.ts'
import {
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

describe('entity tags (RFC 9110 section 8.8.3)', () => {
  const parse = (header: string | null) => outcomeOf(() => parseEntityTags('If-Match', header))

  it('are a list of quoted texts, weak ones among them, or "*"', () => {
    expect(parse('"a"')).toEqual(['"a"'])
    expect(parse(' "a" ,W/"b",\t"c,d" ')).toEqual(['"a"', 'W/"b"', '"c,d"'])
    expect(parse('""')).toEqual(['""'])
    expect(parse(' * ')).toBe('*')
    expect(parse(null)).toBe(undefined)
  })

  it('are read past empty members of the list (RFC 9110 section 5.6.1.2)', () => {
    expect(parse('"a",')).toEqual(['"a"'])
    expect(parse(', ,"a",, W/"b" ,\t,')).toEqual(['"a"', 'W/"b"'])
  })

  it('are refused without quotes, with spaces in them, run together, or as none but empty members', () => {
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
      ',',
      ' , ,',
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

describe('the length of a body', () => {
  const length = (header: string | null, body: ReadableStream | null) =>
    contentLength({
      headers: new Headers(header === null ? {} : { 'content-length': header }),
      body,
    } as Request)

  it('is what was declared, once or twice the same', () => {
    expect(length('5', new ReadableStream())).toBe(5)
    expect(length('0', null)).toBe(0)
    expect(length('5, 5', new ReadableStream())).toBe(5)
  })

  it('is nothing without a body, and unknown for one in chunks', () => {
    expect(length(null, null)).toBe(0)
    expect(length(null, new ReadableStream())).toBe(undefined)
  })
})
