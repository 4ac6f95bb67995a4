import { describe, expect, it } from 'bun:test'
import { describedAnswers } from '../../../../support/openapi/described-answers.ts'
import { describedApi } from '../../../../support/openapi/openapi-under-test.ts'

const tag = '/v1/tenants/acme/documents/definitions/a/tags/v1'
const common = {
  'x-correlation-id': 'a',
  traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`,
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
}
const good = {
  tenant: 'acme',
  type: 'definitions',
  name: 'a',
  digest: `sha256:${'0'.repeat(64)}`,
  tag: 'v1',
  movedAt: '2026-11-23T10:00:00.000Z',
  movedBy: 'alice',
}

/** What of this answer to GET of a tag is not described. */
function undescribed(body: unknown, headers: Record<string, string> = {}, status = 200): Promise<string[]> {
  const type = { 'content-type': 'application/json', etag: '"a"' }
  const response = new Response(JSON.stringify(body), { status, headers: { ...common, ...type, ...headers } })
  return describedAnswers(describedApi()).undescribed('GET', tag, response)
}

describe('the check of answers against the OpenAPI document', () => {
  it('has nothing against an answer as it is described, and remembers it', async () => {
    expect(await undescribed(good)).toEqual([])
    const answers = describedAnswers(describedApi())
    await answers.undescribed('GET', '/livez', new Response(null, { headers: common }))
    expect([...answers.statuses]).toEqual(['getLiveness 200'])
  })

  it('finds a status of which the document says nothing', async () => {
    expect(await undescribed(good, {}, 201)).toEqual(['readTag 201'])
  })

  it('finds a header of which it says nothing, and one that is not there', async () => {
    expect(await undescribed(good, { 'x-other': '1' })).toEqual(['readTag 200: the header x-other'])
    const response = new Response(null, { headers: { ...common, 'cache-control': '' } })
    response.headers.delete('traceparent')
    response.headers.set('cache-control', 'no-store')
    const found = await describedAnswers(describedApi()).undescribed('GET', '/livez', response)
    expect(found).toEqual(['getLiveness 200: that there is no traceparent'])
  })

  it('finds a header of another form', async () => {
    expect(await undescribed(good, { etag: 'unquoted' })).toEqual([expect.stringContaining('etag:')])
  })

  it('finds a member of which it says nothing, one that is missing, and one of another form', async () => {
    expect(await undescribed({ ...good, extra: 1 })).not.toEqual([])
    expect(await undescribed({ ...good, movedBy: undefined })).not.toEqual([])
    expect(await undescribed({ ...good, digest: 'x' })).not.toEqual([])
  })

  it('finds another media type', async () => {
    expect(await undescribed(good, { 'content-type': 'text/html' })).toEqual([
      'readTag 200: the media type text/html',
    ])
  })

  it('finds a problem with a code, or a member, that its operation does not have', async () => {
    const problem = (code: string, more = {}) => ({
      ...{ type: `urn:cloudlysis:problem:${code}`, title: 'A title', status: 404, detail: 'A detail' },
      ...{ code, traceId: 'a'.repeat(32), ...more },
    })
    const send = async (code: string, more = {}) => {
      const type = { 'content-type': 'application/problem+json' }
      const body = JSON.stringify(problem(code, more))
      const response = new Response(body, { status: 404, headers: { ...common, ...type } })
      return describedAnswers(describedApi()).undescribed('GET', tag, response)
    }
    expect(await send('document_not_found')).toEqual([])
    expect(await send('upload_not_found')).not.toEqual([])
    expect(await send('document_not_found', { tenant: 'acme' })).not.toEqual([])
  })
})
