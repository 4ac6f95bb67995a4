import { describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import {
  documentsInMemory,
  KiB,
  keysIn,
  latestKey,
  ref,
  uploadOf,
} from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'

const a = new Uint8Array(KiB).fill(1)
const b = new Uint8Array(KiB).fill(2)
const at = (seconds: number) => ({ admittedAt: new Date(seconds * 1000) })

describe('latest', () => {
  it('moves with every upload, also to a version that is already there', async () => {
    const { documents } = documentsInMemory()
    await documents.put(ref, uploadOf(a, at(1)))
    await documents.put(ref, uploadOf(b, at(2)))
    expect((await documents.getTag(ref, 'latest')).digest).toBe(digestOf(b))
    const { document } = await documents.put(ref, uploadOf(a, at(3)))
    expect(document.tags).toEqual(['latest'])
    expect((await documents.getTag(ref, 'latest')).digest).toBe(digestOf(a))
  })

  it('does not move back to an upload that was admitted earlier', async () => {
    const { documents } = documentsInMemory()
    await documents.put(ref, uploadOf(b, at(2)))
    const { document, created } = await documents.put(ref, uploadOf(a, at(1)))
    expect({ created, tags: document.tags }).toEqual({ created: true, tags: [] })
    expect((await documents.getTag(ref, 'latest')).digest).toBe(digestOf(b))
  })

  it('is not written again for the same move', async () => {
    const { documents } = documentsInMemory()
    await documents.put(ref, uploadOf(a, at(1)))
    const { etag, movedAt } = await documents.getTag(ref, 'latest')
    await Bun.sleep(2)
    await documents.put(ref, uploadOf(a, at(1)))
    expect(await documents.getTag(ref, 'latest')).toMatchObject({ etag, movedAt })
  })

  it('is repaired by the retry of an upload that a crash left without it', async () => {
    let crashes = true
    const crashing = (store: ObjectStore): ObjectStore => ({
      ...store,
      put: (key, body, options) =>
        crashes && key === latestKey ? Promise.reject(new Error('killed')) : store.put(key, body, options),
    })
    const { documents, store } = documentsInMemory({ decorate: crashing })
    await expect(documents.put(ref, uploadOf(a))).rejects.toThrow('killed')
    expect(await keysIn(store)).toHaveLength(1)
    crashes = false
    const { created } = await documents.put(ref, uploadOf(a))
    expect(created).toBe(false)
    expect((await documents.getTag(ref, 'latest')).digest).toBe(digestOf(a))
  })

  it('writes only the newest of many moves that wait for each other', async () => {
    let writes = 0
    const counting = (store: ObjectStore): ObjectStore => ({
      ...store,
      put: (key, body, options) => {
        if (key === latestKey) writes += 1
        return store.put(key, body, options)
      },
    })
    const { documents } = documentsInMemory({ decorate: counting })
    const bodies = Array.from({ length: 32 }, (_, index) => new Uint8Array(KiB).fill(index))
    await Promise.all(bodies.map((body, index) => documents.put(ref, uploadOf(body, at(index)))))
    expect((await documents.getTag(ref, 'latest')).digest).toBe(digestOf(new Uint8Array(KiB).fill(31)))
    expect(writes).toBeLessThan(16)
  })

  it('continues from what another replica wrote in between', async () => {
    let interfere: (() => Promise<void>) | null = null
    const interfered = (store: ObjectStore): ObjectStore => ({
      ...store,
      async put(key, body, options) {
        if (key === latestKey && interfere) {
          const run = interfere
          interfere = null
          await run()
        }
        return store.put(key, body, options)
      },
    })
    const { documents, store } = documentsInMemory({ decorate: interfered })
    const other = {
      digest: digestOf(b),
      movedAt: 'x',
      movedBy: 'x',
      admittedAt: new Date(5000).toISOString(),
    }
    const record = Buffer.from(JSON.stringify(other))
    interfere = async () => {
      await store.put(latestKey, record, { size: record.length, contentType: 'application/json' })
    }
    await documents.put(ref, uploadOf(a, at(4)))
    // The other's was admitted later: ours does not overwrite it.
    expect(await new Response((await store.get(latestKey))?.body).json()).toEqual(other)
  })

  it('moves to the newest version that remains after a delete, and disappears with the last', async () => {
    let now = new Date('2026-01-01T00:00:00Z')
    const { documents, store } = documentsInMemory({ now: () => now })
    await documents.put(ref, uploadOf(a, at(1)))
    now = new Date('2026-01-01T00:00:05Z')
    await documents.put(ref, uploadOf(b, at(2)))
    await documents.deleteVersion({ ...ref, digest: digestOf(b) }, { by: 'bob' })
    expect(await documents.getTag(ref, 'latest')).toMatchObject({ digest: digestOf(a), movedBy: 'bob' })
    await documents.deleteVersion({ ...ref, digest: digestOf(a) }, { by: 'bob' })
    expect(await keysIn(store)).toEqual([])
  })
})
