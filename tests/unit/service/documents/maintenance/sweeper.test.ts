import { describe, expect, it } from 'bun:test'
import { sweep } from '../../../../../service/documents/maintenance/sweeper.ts'
import { keysIn } from '../../../../support/service/documents-under-test.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const hourMs = 60 * 60 * 1000
const contentType = 'application/octet-stream'
const version = `tenants/acme/documents/snapshots/orders.bin/${'0'.repeat(64)}`

/** A store whose clock the test moves. */
function storeWithClock() {
  const clock = { hours: 0 }
  const store = createMemoryObjectStore({ now: () => new Date(1_800_000_000_000 + clock.hours * hourMs) })
  const put = (key: string) => store.put(key, new Uint8Array(1), { size: 1, contentType })
  return { clock, store, put }
}

describe('the sweeper', () => {
  it('removes staged objects that are older than 24 hours and no younger one', async () => {
    const { clock, store, put } = storeWithClock()
    await put('staging/acme/old')
    await put(version)
    clock.hours = 2
    await put('staging/globex/young')
    clock.hours = 24.5
    expect(await sweep(store)).toMatchObject({ stagedRemoved: 1, uploadsAborted: 0 })
    expect(await keysIn(store)).toEqual(['staging/globex/young', version])
  })

  it('leaves what is exactly 24 hours old', async () => {
    const { clock, store, put } = storeWithClock()
    await put('staging/acme/old')
    await store.startMultipart('staging/acme/parts', { contentType })
    clock.hours = 24
    expect(await sweep(store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
  })

  it('aborts unfinished uploads that are older than 24 hours and no younger one', async () => {
    const { clock, store } = storeWithClock()
    await store.startMultipart('staging/acme/old', { contentType })
    await store.startMultipart(version, { contentType })
    await store.startMultipart('elsewhere/old', { contentType })
    clock.hours = 2
    await store.startMultipart('staging/acme/young', { contentType })
    clock.hours = 24.5
    expect(await sweep(store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 2 })
    const left = await store.listUnfinished('')
    expect(left.map(({ key }) => key)).toEqual(['elsewhere/old', 'staging/acme/young'])
  })

  it('never removes a version, however old', async () => {
    const { clock, store, put } = storeWithClock()
    await put(version)
    clock.hours = 100_000
    expect(await sweep(store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
    expect(await keysIn(store)).toEqual([version])
  })

  it('removes more leftovers than one listing holds', async () => {
    const { clock, store, put } = storeWithClock()
    await Promise.all(Array.from({ length: 1001 }, (_, index) => put(`staging/acme/${index}`)))
    clock.hours = 25
    expect(await sweep(store)).toMatchObject({ stagedRemoved: 1001, uploadsAborted: 0 })
    expect(await keysIn(store)).toEqual([])
  })

  it('can be stopped', async () => {
    const { store, put } = storeWithClock()
    await put('staging/acme/old')
    await expect(sweep(store, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })
})
