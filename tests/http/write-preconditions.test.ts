import { describe, expect, it } from 'bun:test'
import { ownService } from '../support/service/own-service.ts'

const { service } = await ownService()

const scope = 'documents:read documents:write documents:admin'
const headers = { authorization: `Bearer ${await service.token({ tenants: ['acme'], scope })}` }

function call(method: string, path: string, more: Record<string, string> = {}, body?: string) {
  return fetch(`${service.url}/v1/tenants/acme/documents/${path}`, {
    method,
    headers: { ...headers, ...more },
    ...(body === undefined ? {} : { body }),
  })
}

async function refusal(answer: Response) {
  const { code, detail } = (await answer.json()) as { code: string; detail: string }
  return { status: answer.status, code, detail }
}

describe('preconditions of writes that know none', () => {
  it('are refused on an upload, and nothing is stored', async () => {
    const answer = await call('PUT', 'definitions/guarded.txt', { 'if-none-match': '*' }, 'bytes')
    expect(await refusal(answer)).toEqual({
      status: 422,
      code: 'request_invalid',
      detail: 'If-None-Match is not taken here. Leave it out.',
    })
    expect((await call('GET', 'definitions/guarded.txt')).status).toBe(404)
    expect((await call('PUT', 'definitions/guarded.txt', {}, 'bytes')).status).toBe(201)
  })

  it('are refused on the deletion of a version, which stays', async () => {
    const put = await call('PUT', 'definitions/kept.txt', {}, 'bytes')
    const { digest } = (await put.json()) as { digest: string }
    const version = `definitions/kept.txt/versions/${digest}`
    expect((await refusal(await call('DELETE', version, { 'if-match': '"x"' }))).status).toBe(422)
    expect((await call('HEAD', version)).status).toBe(200)
    expect((await call('DELETE', version)).status).toBe(204)
  })

  it('are refused on a tag where they are not If-Match', async () => {
    const put = await call('PUT', 'definitions/tagged.txt', {}, 'bytes')
    const { digest } = (await put.json()) as { digest: string }
    const json = { 'content-type': 'application/json' }
    const body = JSON.stringify({ digest })
    const tag = 'definitions/tagged.txt/tags/stable'
    expect((await refusal(await call('PUT', tag, { ...json, 'if-none-match': '*' }, body))).status).toBe(422)
    expect((await call('PUT', tag, json, body)).status).toBe(201)
    expect((await call('PUT', tag, { ...json, 'if-match': '*' }, body)).status).toBe(200)
  })
})
