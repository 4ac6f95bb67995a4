import { describe, expect, it } from 'bun:test'
import { beginTally, countVersions } from '../../../../../service/documents/maintenance/recount.ts'
import { eachObject } from '../../../../../service/object-store/each-object.ts'
import type { ObjectStore } from '../../../../../service/object-store/object-store.ts'
import { digestOf, keyOf } from '../../../../support/service/sample-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

let now = new Date('2026-01-01T00:00:00Z')

async function filled(tenants: readonly string[]): Promise<ObjectStore> {
  const store = createMemoryObjectStore({ now: () => now })
  for (const tenant of tenants) await put(store, tenant)
  now = new Date(now.getTime() + 1000)
  return store
}

async function put(store: ObjectStore, tenant: string): Promise<string> {
  const key = keyOf('definitions', 'orders', digestOf(crypto.randomUUID()), tenant)
  await store.put(key, new Uint8Array(), { size: 0, contentType: 'text/plain' })
  return key
}

/** Works through the listing of a store, as a command does. */
async function worked(store: ObjectStore, listed = store) {
  const tally = await beginTally(store)
  const keys = await Array.fromAsync(tally.of(eachObject(listed, 'tenants/')), ({ key }) => key)
  return { tally, keys }
}

describe('the second count', () => {
  it('counts versions of all tenants, and nothing else', async () => {
    const store = await filled(['acme', 'eu', 'eu-test', '0', 'z9'])
    await store.put('tenants/acme/tags/definitions/orders/v1', new Uint8Array(), {
      size: 0,
      contentType: 'text/plain',
    })
    await store.put('staging/acme/1', new Uint8Array(), { size: 0, contentType: 'text/plain' })
    expect(await countVersions(store)).toBe(5)
  })

  it('finds nothing left out of a whole listing', async () => {
    const { tally } = await worked(await filled(['acme', 'eu']))
    expect(await tally.leftOut()).toBe(0)
  })

  it('finds how many versions a listing left out', async () => {
    const store = await filled(['acme', 'eu', 'eu', 'eu'])
    const short: ObjectStore = {
      ...store,
      list: async (options) => {
        const { objects } = await store.list(options)
        return { objects: objects.slice(0, 1), next: null }
      },
    }
    const { tally, keys } = await worked(store, short)
    expect(keys).toHaveLength(1)
    expect(await tally.leftOut()).toBe(3)
  })

  it('does not take for left out what was stored since the tally began', async () => {
    const store = await filled(['acme'])
    const { tally } = await worked(store)
    await put(store, 'acme')
    expect(await tally.leftOut()).toBe(0)
  })

  it('begins again from zero with a listing that begins again', async () => {
    const store = await filled(['acme', 'eu'])
    const { tally } = await worked(store)
    const empty = createMemoryObjectStore()
    await Array.fromAsync(tally.of(eachObject(empty, 'tenants/')))
    expect(await tally.leftOut()).toBe(2)
  })
})
