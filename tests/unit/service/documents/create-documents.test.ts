import { describe, expect, it } from 'bun:test'
import { ObjectStoreError } from '../../../../service/object-store/object-store.ts'
import { ref, replicaOn } from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const version = { ...ref, digest: digestOf('bytes') }
const failing = (code: 'busy' | 'unavailable') => async () => {
  throw new ObjectStoreError(code, 'head', 'NoFreeConnection')
}

describe('the documents of a service', () => {
  it('are busy, and the store is not unavailable, if no connection to the store is free', async () => {
    const { documents } = replicaOn({ ...createMemoryObjectStore(), head: failing('busy') })
    await expect(documents.head(version)).rejects.toMatchObject({ code: 'busy' })
    const down = replicaOn({ ...createMemoryObjectStore(), head: failing('unavailable') })
    await expect(down.documents.head(version)).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it('ask for their health apart from what tenants do', async () => {
    const store = { ...createMemoryObjectStore(), clock: failing('busy') }
    await replicaOn(store, { health: createMemoryObjectStore() }).documents.ready()
    await expect(replicaOn(store).documents.ready()).rejects.toMatchObject({ code: 'busy' })
  })
})
