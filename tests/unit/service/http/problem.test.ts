import { describe, expect, it } from 'bun:test'
import { DocumentError } from '../../../../service/documents/document-error.ts'
import { itemDetails, problemResponse, toProblem } from '../../../../service/http/problem.ts'

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

describe('the problem of one item among others', () => {
  it('is the document that would be its answer, with the seconds of Retry-After as a member', async () => {
    const of = (error: unknown) => itemDetails(toProblem(error), 'trace')
    const busy = new DocumentError('busy', 'Later.', {}, { retryAfterSeconds: 30 })
    expect(of(busy)).toMatchObject({ code: 'busy', status: 503, traceId: 'trace', retryAfterSeconds: 30 })
    expect(of(new DocumentError('busy', 'Later.'))).toMatchObject({ retryAfterSeconds: 5 })
    const tagged = new DocumentError('version_tagged', 'Move the tags.', { tags: ['v1'] })
    expect(of(tagged)).toEqual(await problemResponse(toProblem(tagged), 'trace').json())
  })
})
