import { describe, expect, it } from 'bun:test'
import { Type } from '@sinclair/typebox'
import { DocumentError } from '../../../../service/documents/document-error.ts'
import { contentLength } from '../../../../service/http/headers/content-length.ts'
import { ProblemError, problemResponse, toProblem } from '../../../../service/http/problem.ts'
import { readQuery } from '../../../../service/http/request-form.ts'
import { requestUrl } from '../../../../service/http/request-url.ts'

describe('the address of a request', () => {
  const outcome = (url: string, host: string | null) => {
    // Bun's server makes such requests; the constructor of Request resolves what it is given.
    const request = { url, headers: new Headers(host === null ? {} : { host }) } as Request
    try {
      return requestUrl(request).pathname
    } catch (error) {
      return error instanceof ProblemError ? error.code : error
    }
  }

  it('is that of its target below any host', () => {
    expect(outcome('http://a/v1/x', 'a')).toBe('/v1/x')
    expect(outcome('http://[::1]:8080/v1/x?y', '[::1]:8080')).toBe('/v1/x')
  })

  it('is refused where the host is none', () => {
    expect(outcome('/v1/x', '')).toBe('host_invalid')
    expect(outcome('/v1/x', 'a/b')).toBe('host_invalid')
    expect(outcome('http://a:99999/v1/x', 'a:99999')).toBe('host_invalid')
    expect(outcome('http://a/v1/x', 'a, b')).toBe('host_invalid')
  })

  it('needs no host outside of the API', () => {
    expect(outcome('/livez', null)).toBe('/livez')
    expect(outcome('/v1/x', null)).toBe('host_invalid')
    expect(outcome('/a/../v1/x', null)).toBe('host_invalid')
  })

  it('has no fragment', () => {
    expect(outcome('http://a/v1/x#/y', 'a')).toBe('route_not_found')
    expect(outcome('http://a/v1/x#', 'a')).toBe('route_not_found')
  })
})

describe('the query', () => {
  const schema = Type.Object(
    { name: Type.Optional(Type.String()), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })) },
    { additionalProperties: false },
  )
  const read = (query: string) => {
    try {
      return readQuery(schema, new URLSearchParams(query))
    } catch (error) {
      return error instanceof ProblemError ? error.members.errors : error
    }
  }

  it('has whole numbers where the schema has integers, and texts elsewhere', () => {
    expect(read('')).toEqual({})
    expect(read('limit=10&name=10')).toEqual({ limit: 10, name: '10' })
  })

  it('is refused, with where and why, for what is no whole number or out of bounds', () => {
    for (const limit of ['0', '11', '', '1.0', '1e0', '0x1', '+1', '-1', '01', ' 1']) {
      const message = expect.any(String)
      expect([limit, read(`limit=${encodeURIComponent(limit)}`)]).toEqual([
        limit,
        expect.arrayContaining([{ in: 'query', pointer: '/limit', message }]),
      ])
    }
  })

  it('is refused for parameters that the schema does not know, such as those of every object', () => {
    expect(read('other=1')).toMatchObject([{ in: 'query', pointer: '/other' }])
    expect(read('__proto__=1')).toMatchObject([{ in: 'query', pointer: '/__proto__' }])
    expect(read('constructor=1')).toMatchObject([{ in: 'query', pointer: '/constructor' }])
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

describe('a problem', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const shown = async (error: unknown) => {
    const response = problemResponse(toProblem(error), traceId)
    return { status: response.status, headers: response.headers, body: await response.json() }
  }

  it('has the members of RFC 9457, its code, the trace and its own members', async () => {
    const error = new DocumentError('version_tagged', 'Move the tags.', { tags: ['v1'] })
    const { status, headers, body } = await shown(error)
    expect([status, headers.get('content-type')]).toEqual([409, 'application/problem+json'])
    expect(body).toEqual({
      type: 'urn:cloudlysis:problem:version_tagged',
      title: 'The version is tagged',
      status: 409,
      detail: 'Move the tags.',
      code: 'version_tagged',
      traceId,
      tags: ['v1'],
    })
  })

  it('says nothing about what was not foreseen', async () => {
    const { status, body } = await shown(new Error('connect ECONNREFUSED 10.0.0.7 with key AKIA'))
    expect(status).toBe(500)
    expect(JSON.stringify(body)).not.toMatch(/ECONNREFUSED|10\.0\.0\.7|AKIA/)
  })

  it('says when to come back where that helps, and how large the document is', async () => {
    const down = await shown(new DocumentError('store_unavailable', 'Later.', {}, { cause: new Error('x') }))
    expect([down.status, down.headers.get('retry-after')]).toEqual([503, '5'])
    const outside = await shown(new DocumentError('range_unsatisfiable', 'Outside.', { size: 10 }))
    expect([outside.status, outside.headers.get('content-range')]).toEqual([416, 'bytes */10'])
  })
})
