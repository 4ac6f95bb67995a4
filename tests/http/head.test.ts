import { describe, expect, it } from 'bun:test'
import { put } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const { service, call } = await ownService()
await put(call, 'definitions/orders', 'A')

/** Headers that belong to a request or its moment. */
const changing = ['date', 'x-correlation-id', 'traceparent', 'content-length', 'transfer-encoding']

function stable(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => !changing.includes(name)))
}

describe('HEAD', () => {
  it.each(['?limit=5', 'definitions/orders/versions', 'definitions/orders/tags/latest'])(
    'answers for %s with the headers of GET, the length among them, and no body',
    async (path) => {
      const [get, head] = [await call(path), await call(path, { method: 'HEAD' })]
      expect(head.status).toBe(200)
      expect(stable(head)).toEqual(stable(get))
      expect(head.headers.get('content-length')).toBe(String((await get.arrayBuffer()).byteLength))
      expect(await head.text()).toBe('')
    },
  )

  it('is refused as GET is, for what is not there and for what is malformed', async () => {
    for (const path of ['definitions/orders/tags/none', 'definitions/none/versions', '?limit=0']) {
      const [get, head] = [await call(path), await call(path, { method: 'HEAD' })]
      expect(head.status).toBe(get.status)
      expect(head.status).toBeGreaterThanOrEqual(400)
    }
  })

  it('needs the right that GET needs', async () => {
    const token = await service.token({ scope: 'documents:write' })
    const headers = { authorization: `Bearer ${token}` }
    expect((await call('?limit=5', { method: 'HEAD', headers })).status).toBe(403)
    expect((await call(`definitions/orders/versions/${digestOf('A')}`, { method: 'HEAD' })).status).toBe(200)
  })
})
