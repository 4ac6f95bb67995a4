import { describe, expect, it } from 'bun:test'
import { Type } from '@sinclair/typebox'
import { ProblemError } from '../../../../service/http/problem.ts'
import { readQuery } from '../../../../service/http/request-form.ts'

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
