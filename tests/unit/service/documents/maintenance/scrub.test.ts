import { describe, expect, it } from 'bun:test'
import { type ScrubbedVersion, scrub } from '../../../../../service/documents/maintenance/scrub.ts'
import { type ObjectStore, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { KiB, MiB } from '../../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../../support/service/sample-documents.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const fast = { bytesPerSecondMax: 1024 * MiB }

/** Versions `a`, `b` and `c`, intact, in a store. */
async function threeVersions() {
  const store = createMemoryObjectStore()
  const keys: string[] = []
  for (const name of ['a', 'b', 'c']) {
    const bytes = Buffer.from(name)
    const key = `tenants/acme/documents/snapshots/${name}/${digestOf(bytes).slice('sha256:'.length)}`
    await store.put(key, bytes, { size: bytes.length, contentType: 'text/plain' })
    keys.push(key)
  }
  const [a = '', b = '', c = ''] = keys
  return { store, a, b, c }
}

async function all(store: ObjectStore, options = {}): Promise<ScrubbedVersion[]> {
  const scrubbed = await Array.fromAsync(scrub(store, { ...fast, ...options }))
  return scrubbed.filter((one) => one.of === 'version')
}

describe('the scrub', () => {
  it('reads every version in the order of the keys', async () => {
    const { store, a, b, c } = await threeVersions()
    const seen = await all(store)
    expect(seen.map(({ key, intact }) => [key, intact])).toEqual([
      [a, true],
      [b, true],
      [c, true],
    ])
  })

  it('continues after a key', async () => {
    const { store, b, c } = await threeVersions()
    expect((await all(store, { after: b })).map(({ key }) => key)).toEqual([c])
  })

  it('ignores objects that are not versions', async () => {
    const { store } = await threeVersions()
    await store.put('tenants/acme/tags/snapshots/a/latest', new Uint8Array(), {
      size: 0,
      contentType: 'text/plain',
    })
    await store.put('tenants/acme/documents/snapshots/a/notes', new Uint8Array(), {
      size: 0,
      contentType: 'text/plain',
    })
    expect(await all(store)).toHaveLength(3)
  })

  it('reports the digest of damaged bytes', async () => {
    const { store, b } = await threeVersions()
    const other = Buffer.from('other')
    await store.put(b, other, { size: other.length, contentType: 'text/plain' })
    const damaged = (await all(store)).filter(({ intact }) => !intact)
    expect(damaged).toMatchObject([{ key: b, found: digestOf(other), size: other.length }])
    expect(damaged[0]?.ref.digest).toBe(digestOf(Buffer.from('b')))
  })

  it('does not report a version that was deleted since it was listed', async () => {
    const { store, b } = await threeVersions()
    const vanishing: ObjectStore = {
      ...store,
      get: async (key, options) => (key === b ? null : store.get(key, options)),
    }
    const seen = await all(vanishing)
    expect(seen.find(({ key }) => key === b)).toMatchObject({ found: null, intact: true })
  })

  it('reports a version that cannot be read, and continues', async () => {
    const { store, b } = await threeVersions()
    const broken: ObjectStore = {
      ...store,
      get: (key, options) =>
        key === b ? Promise.reject(new ObjectStoreError('unavailable', 'get', 'X')) : store.get(key, options),
    }
    const seen = await all(broken)
    expect(seen.map(({ intact }) => intact)).toEqual([true, false, true])
    expect(seen[1]).toMatchObject({ key: b, found: null })
  })

  it('stops if the store is out of reach', async () => {
    const { store, b } = await threeVersions()
    const away = () => Promise.reject(new ObjectStoreError('unavailable', 'get', 'ECONNREFUSED'))
    const dying: ObjectStore = {
      ...store,
      clock: away,
      get: (key, options) => (key === b ? away() : store.get(key, options)),
    }
    const seen: string[] = []
    const reading = async () => {
      for await (const { key } of scrub(dying, fast)) seen.push(key)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'unavailable' })
    expect(seen).toHaveLength(1)
  })

  it('reads no faster than the configured rate', async () => {
    const store = createMemoryObjectStore()
    const bytes = new Uint8Array(256 * KiB)
    const key = `tenants/acme/documents/snapshots/a/${digestOf(bytes).slice('sha256:'.length)}`
    await store.put(key, bytes, { size: bytes.length, contentType: 'text/plain' })
    const begunAt = performance.now()
    await all(store, { bytesPerSecondMax: MiB })
    expect(performance.now() - begunAt).toBeGreaterThan(200)
  })
})
