import { describe, expect, it } from 'bun:test'
import { createDocumentsClient } from '../../service/client/client.ts'
import type { OpenApiDocument } from '../../service/http/openapi/types.ts'
import { describedAnswers } from '../support/openapi/described-answers.ts'
import { callerOf, put } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const { service, call, token } = await ownService()
const described = (await (await fetch(`${service.url}/openapi.json`)).json()) as OpenApiDocument
/** Every answer must be as OpenAPI describes it. */
const checked = describedAnswers(described).checking(await callerOf(service))
const client = createDocumentsClient({ url: service.url, tenant: 'acme', token: async () => token })

const hexOf = (bytes: string) => digestOf(bytes).slice('sha256:'.length)
const below = 'tenants/acme/documents'

/** Puts an object as another program would. */
async function putForeign(
  key: string,
  { bytes = '', contentType = 'text/plain', metadata = {} }: Foreign = {},
): Promise<void> {
  const body = Buffer.from(bytes)
  await service.store.put(key, body, { size: body.length, contentType, metadata })
}

interface Foreign {
  bytes?: string
  contentType?: string
  metadata?: Record<string, string>
}

describe('objects of other programs among the documents', () => {
  const keys = [
    `${below}/`,
    `${below}/snapshots/`,
    `${below}/snapshots/orders/`,
    `${below}/snapshots/orders/notes.txt`,
    `${below}/snapshots/100% & +more/${hexOf('A')}`,
    `${below}/Quarterly Reports/orders/${hexOf('A')}`,
    `${below}/snapshots/.orders.swp/${hexOf('A')}`,
    `${below}/snapshots/orders/${hexOf('A').toUpperCase()}`,
  ]

  it('are left out of listings, which the client reads to their end', async () => {
    for (const key of keys) await putForeign(key)
    await put(call, 'snapshots/orders', 'A')
    await put(call, 'snapshots/orders', 'B')
    const listed = await Array.fromAsync(client.list({ limit: 1 }), ({ name, digest }) => `${name} ${digest}`)
    const expected = ['A', 'B'].map((bytes) => `orders ${digestOf(bytes)}`)
    expect(listed.toSorted()).toEqual(expected.toSorted())
    const ref = { type: 'snapshots', name: 'orders' }
    const versions = await Array.fromAsync(client.versions(ref, { limit: 1 }), ({ digest }) => digest)
    expect(versions.toSorted()).toEqual(['A', 'B'].map(digestOf).toSorted())
    expect((await checked('')).status).toBe(200)
    expect((await checked('snapshots/orders/versions')).status).toBe(200)
  })

  it('are no document, even if they are all that is there', async () => {
    await putForeign(`${below}/snapshots/folder/`)
    for (const path of ['snapshots/folder', 'snapshots/folder/versions', 'snapshots/folder/tags/latest'])
      expect((await checked(path)).status).toBe(404)
  })
})

describe('a version that another program has put', () => {
  const read = async (name: string, foreign: Foreign) => {
    await putForeign(`${below}/foreign/${name}/${hexOf('bytes')}`, { bytes: 'bytes', ...foreign })
    const response = await checked(`foreign/${name}`)
    expect(await response.text()).toBe('bytes')
    const { versions } = (await (await checked(`foreign/${name}/versions`)).json()) as {
      versions: Record<string, string>[]
    }
    return { type: response.headers.get('content-type'), version: versions[0] }
  }

  it('is answered without its metadata as bytes of no known type, by the store’s time', async () => {
    const { type, version } = await read('bare', { contentType: 'no type at all' })
    expect(type).toBe('application/octet-stream')
    expect(version).toMatchObject({ contentType: 'application/octet-stream', createdBy: '' })
    expect(Math.abs(Date.now() - Date.parse(version?.createdAt ?? ''))).toBeLessThan(600_000)
  })

  it('is answered in the form of the API where its metadata has another one', async () => {
    const metadata = { 'created-at': 'yesterday', 'created-by': '100%', 'trace-id': '' }
    const { version } = await read('odd', { metadata })
    expect(version).toMatchObject({ createdBy: '100%' })
    const local = await read('local', { metadata: { 'created-at': '2026-03-01T12:00:00+02:00' } })
    expect(local.version?.createdAt).toBe('2026-03-01T10:00:00.000Z')
  })
})
