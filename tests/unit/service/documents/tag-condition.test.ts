import { describe, expect, it } from 'bun:test'
import { meets } from '../../../../service/documents/tag-condition.ts'

describe('a condition about a tag', () => {
  it('holds without anything asked for, whether the tag is there or not', () => {
    expect(meets('a', undefined)).toBe(true)
    expect(meets(undefined, {})).toBe(true)
  })

  it('holds with If-Match only for a tag that is there and has one of the ETags', () => {
    expect(meets('a', { ifMatch: ['b', 'a'] })).toBe(true)
    expect(meets('a', { ifMatch: '*' })).toBe(true)
    expect(meets('a', { ifMatch: ['b'] })).toBe(false)
    expect(meets('a', { ifMatch: [] })).toBe(false)
    expect(meets(undefined, { ifMatch: '*' })).toBe(false)
    expect(meets(undefined, { ifMatch: ['a'] })).toBe(false)
  })

  it('holds with If-None-Match for a tag that is not there or has none of the ETags', () => {
    expect(meets(undefined, { ifNoneMatch: '*' })).toBe(true)
    expect(meets(undefined, { ifNoneMatch: ['a'] })).toBe(true)
    expect(meets('a', { ifNoneMatch: ['b'] })).toBe(true)
    expect(meets('a', { ifNoneMatch: ['b', 'a'] })).toBe(false)
    expect(meets('a', { ifNoneMatch: '*' })).toBe(false)
  })

  it('holds with both headers only if each of them does', () => {
    expect(meets('a', { ifMatch: ['a'], ifNoneMatch: ['b'] })).toBe(true)
    expect(meets('a', { ifMatch: ['a'], ifNoneMatch: ['a'] })).toBe(false)
  })
})
