import { describe, expect, it } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { keysOf } from '../support/stores/store-contents.ts'

const { service, call } = await ownService()
const other = await serviceInProcess({ replicaOf: service })
const callOther = await callerOf(other)

const names = Array.from({ length: 12 }, (_, at) => `app-${String(at).padStart(2, '0')}`)
for (const name of names) {
  await put(call, `bundles/${name}`, 'A')
  await put(call, `bundles/${name}`, 'B')
  await move(name, 'production', 'A')
}
await put(call, 'bundles/untagged', 'A')
await put(call, 'reports/app-00', 'A')

async function move(name: string, tag: string, content: string, by = call): Promise<void> {
  const response = await by(`bundles/${name}/tags/${tag}`, {
    method: 'PUT',
    ...jsonBody({ digest: digestOf(content) }),
  })
  if (!response.ok) throw new Error(await refusalOf(response))
}

async function remove(name: string, tag: string): Promise<void> {
  const response = await call(`bundles/${name}/tags/${tag}`, { method: 'DELETE' })
  if (!response.ok) throw new Error(await refusalOf(response))
}

async function page(query: string, by = call): Promise<{ documents: Json[]; nextCursor: string | null }> {
  const response = await by(query)
  if (!response.ok) throw new Error(`${query}: ${await refusalOf(response)}`)
  return (await jsonOf(response)) as never
}

async function namesWith(tag: string, filter = '', by = call): Promise<unknown[]> {
  return (await page(`?type=bundles&tag=${tag}${filter}`, by)).documents.map(({ name }) => name)
}

describe('the list by tag', () => {
  it('shows each document of the type that has the tag, with what the tag shows, on every replica', async () => {
    for (const by of [call, callOther]) {
      const { documents, nextCursor } = await page('?type=bundles&tag=production', by)
      expect(documents.map(({ name }) => name)).toEqual(names)
      expect(nextCursor).toBe(null)
      const { etag, ...first } = documents[0] ?? {}
      const tag = await call('bundles/app-00/tags/production')
      expect(first).toEqual(await jsonOf(tag))
      expect(tag.headers.get('etag')).toBe(`"${etag}"`)
    }
    expect(await page('?type=reports&tag=production')).toEqual({ documents: [], nextCursor: null })
  })

  it('is visited once by pages of any size, and by the beginning of names', async () => {
    for (const limit of [1, 5, 12]) {
      const visited: unknown[] = []
      for (let cursor = ''; ; ) {
        const next = await page(`?type=bundles&tag=production&limit=${limit}${cursor}`)
        visited.push(...next.documents.map(({ name }) => name))
        if (next.nextCursor === null) break
        cursor = `&cursor=${encodeURIComponent(next.nextCursor)}`
      }
      expect(visited).toEqual(names)
    }
    expect(await namesWith('production', '&namePrefix=app-1')).toEqual(['app-10', 'app-11'])
  })

  it('follows moves and removals by any replica, and names that are no tags elsewhere', async () => {
    for (const tag of ['canary', 'constructor', '__proto__', 'v1.2_3-rc']) {
      await move('app-03', tag, 'A')
      await move('app-04', tag, 'A', callOther)
      expect(await namesWith(tag)).toEqual(['app-03', 'app-04'])
      await move('app-03', tag, 'B', callOther)
      const { documents } = await page(`?type=bundles&tag=${tag}`)
      expect(documents.map(({ digest }) => digest)).toEqual([digestOf('B'), digestOf('A')])
      await remove('app-04', tag)
      expect(await namesWith(tag, '', callOther)).toEqual(['app-03'])
      await remove('app-03', tag)
      expect(await namesWith(tag)).toEqual([])
    }
    expect(await keysOf(service.store, 'tenants/acme/tagged/bundles/canary/')).toEqual([])
  })

  it('costs one list call and a small read for each row, and a move of a tag costs no more than before', async () => {
    const callsOf = async (work: () => Promise<unknown>) => {
      service.storeCalls.length = 0
      await work()
      return service.storeCalls.toSorted()
    }
    const reads = names.map(() => 'getWhole')
    expect(await callsOf(() => namesWith('production'))).toEqual([...reads, 'list'])
    expect(await callsOf(() => move('app-05', 'production', 'B'))).toEqual(['getWhole', 'head', 'put'])
    expect(await callsOf(() => put(call, 'bundles/app-05', 'C'))).toEqual(['put', 'put'])
    // One more each, for the row.
    expect(await callsOf(() => move('app-05', 'new', 'B'))).toEqual(['getWhole', 'head', 'put', 'put'])
    expect(await callsOf(() => remove('app-05', 'new'))).toEqual(['delete', 'put'])
  })

  it('does not believe a row whose record does not name it', async () => {
    const row = { size: 0, contentType: 'text/plain' }
    const bytes = new Uint8Array()
    await service.store.put('tenants/acme/tagged/bundles/planted/app-00/0123', bytes, row)
    await service.store.put('tenants/acme/tagged/bundles/production/app-00/0123', bytes, row)
    await service.store.put('tenants/acme/tagged/bundles/production/untagged/0123', bytes, row)
    await service.store.put('tenants/acme/tagged/bundles/production/none/0123', bytes, row)
    await service.store.put('tenants/acme/tagged/bundles/production/stray', bytes, row)
    expect(await namesWith('planted')).toEqual([])
    expect(await namesWith('production')).toEqual(names)
  })

  it('is refused without a type, with a name, for "latest", and in too large pages', async () => {
    for (const query of [
      '?tag=production',
      '?type=bundles&name=app-00&tag=production',
      '?type=bundles&tag=latest',
      `?type=bundles&tag=production&limit=${limits.taggedLimitMax + 1}`,
      '?type=bundles&tag=no/tag',
    ])
      expect(await refusalOf(await call(query))).toBe('422 request_invalid')
  })

  it('continues by a cursor of the same tag alone', async () => {
    const { nextCursor } = await page('?type=bundles&tag=production&limit=1')
    const cursor = `cursor=${encodeURIComponent(String(nextCursor))}`
    for (const query of [`?type=bundles&tag=canary&${cursor}`, `?type=bundles&${cursor}`])
      expect(await refusalOf(await call(query))).toBe('422 cursor_invalid')
  })
})
