import { describe, expect, it } from 'bun:test'
import { limits } from '../../../../service/limits.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import { nothingKnown } from '../../../../service/object-store/store-capabilities.ts'
import {
  KiB,
  keyOf,
  keysIn,
  MiB,
  type Replica,
  ref,
  replicaOn,
  ticketRequestFor,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { counted } from '../../../support/stores/counted-object-store.ts'
import { minioCapabilities } from '../../../support/stores/known-capabilities.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const bytes = new Uint8Array(KiB).fill(7)
const key = keyOf(bytes)

/** Two replicas on one store; `decorate` may wrap that of `one`. The store's clock stands still until `pass`. */
function twoReplicas(decorate = (store: ObjectStore) => store) {
  let now = Date.now()
  const store = createMemoryObjectStore({ now: () => new Date(now) })
  const options = { sleep: async () => {}, completionWaitSecondsMax: 60 }
  return {
    store,
    one: replicaOn(decorate(store), options),
    other: replicaOn(store, options),
    pass: (seconds: number) => {
      now += seconds * 1000
    },
  }
}

/** Asks for a ticket, stages bytes for it, and returns what completes it on a replica. */
async function staged(store: ObjectStore, { transfers }: Replica, content = bytes) {
  const created = await transfers.createUpload(ref, ticketRequestFor(bytes))
  if (!('ticket' in created)) throw new Error('there is nothing to upload')
  const { id, ticket } = created.ticket
  await store.put(`staging/acme/${id}`, content, { size: content.length, contentType: 'text/plain' })
  const completion = { ticket, by: 'alice', traceId: '0'.repeat(32) }
  return ({ transfers }: Replica) => transfers.completeUpload(ref, id, completion)
}

async function stagedKeys(store: ObjectStore): Promise<string[]> {
  return (await keysIn(store)).filter((key) => key.startsWith('staging/') && !key.endsWith('.lease'))
}

const remove = ({ documents }: Replica) => documents.deleteVersion(versionOf(bytes), { by: 'bob' })
const published = (created: boolean) => ({ created, document: { digest: digestOf(bytes), tags: ['latest'] } })

describe('a completion', () => {
  it('publishes what was staged, once, and can be repeated on any replica', async () => {
    const { store, one, other } = twoReplicas()
    const complete = await staged(store, one)
    expect(await complete(one)).toMatchObject(published(true))
    expect(await complete(other)).toMatchObject(published(false))
    expect(await complete(one)).toMatchObject(published(false))
    expect(await stagedKeys(store)).toEqual([])
  })

  it('is done once by two replicas at the same time, and is new for one of them', async () => {
    const copies: string[] = []
    const { store, one } = twoReplicas((store) => counted(store, copies))
    const other = replicaOn(counted(store, copies))
    const complete = await staged(store, other)
    const answers = await Promise.all([complete(one), complete(other)])
    expect(answers.map((answer) => answer?.created).sort()).toEqual([false, true])
    expect(copies.filter((call) => call === 'copyAbsent')).toHaveLength(1)
  })

  it('lets a client on another replica come back later while it is under way', async () => {
    const begun = Promise.withResolvers<void>()
    const open = Promise.withResolvers<void>()
    const { store, one } = twoReplicas((store) => ({
      ...store,
      async copyAbsent(...args) {
        begun.resolve()
        await open.promise
        return store.copyAbsent(...args)
      },
    }))
    const hasty = replicaOn(store, { completionWaitSecondsMax: 0 })
    const complete = await staged(store, one)
    const completing = complete(one)
    await begun.promise
    expect(await complete(hasty)).toBeNull()
    open.resolve()
    expect(await completing).toMatchObject(published(true))
  })

  it('is known from the record if it was killed before it could say so in its lease', async () => {
    let dies = true
    const { store, one, other } = twoReplicas((store) => ({
      ...store,
      put: (key, body, options) =>
        dies && key.endsWith('.lease') && options.condition && 'etag' in options.condition
          ? Promise.reject(new Error('killed'))
          : store.put(key, body, options),
    }))
    const complete = await staged(store, one)
    await expect(complete(one)).rejects.toThrow('killed')
    dies = false
    const later = new Uint8Array(KiB).fill(8)
    await other.documents.put(ref, uploadOf(later))
    expect(await complete(other)).toMatchObject({ created: false, document: { tags: [] } })
  })

  it('is known from its lease once the record has forgotten it', async () => {
    const { store, one, other } = twoReplicas()
    const complete = await staged(store, one)
    await complete(one)
    const move = { digest: digestOf(bytes), by: 'alice' }
    for (let moves = 0; moves < limits.recordChangesMax; moves += 1) {
      await other.documents.putTag(ref, 'stable', move)
    }
    await other.documents.put(ref, uploadOf(new Uint8Array(KiB).fill(8)))
    expect(await complete(other)).toMatchObject({ created: false, document: { tags: ['stable'] } })
  })

  it('does not count again after another replica has taken its lease over', async () => {
    let overtake = async () => {}
    const { store, one, other, pass } = twoReplicas((store) => ({
      ...store,
      async copyAbsent(...args) {
        await overtake()
        return store.copyAbsent(...args)
      },
    }))
    const complete = await staged(store, one)
    const later = new Uint8Array(KiB).fill(8)
    overtake = async () => {
      pass(limits.leaseSilenceSeconds + 1)
      // Its own copy is not emptied from staging, so that the slow one can be completed as well.
      const keeping = replicaOn({ ...store, delete: async () => {} })
      expect(await complete(keeping)).toMatchObject(published(true))
      await other.documents.put(ref, uploadOf(later))
    }
    expect(await complete(one)).toMatchObject({ created: false, document: { tags: [] } })
    expect((await other.documents.getTag(ref, 'latest')).digest).toBe(digestOf(later))
  })

  it('succeeds although staging cannot be emptied', async () => {
    const { store, one } = twoReplicas((store) => ({
      ...store,
      delete: () => Promise.reject(new Error('the store went away')),
    }))
    const complete = await staged(store, one)
    expect(await complete(one)).toMatchObject(published(true))
    expect(await stagedKeys(store)).toHaveLength(1)
  })

  it('is continued by another one if it fails half-way, whatever it had done', async () => {
    for (const fails of ['before', 'after'] as const) {
      let left = 1
      const { store, one, other } = twoReplicas((store) => ({
        ...store,
        async copyAbsent(...args) {
          if (left-- > 0 && fails === 'before') throw new Error('killed')
          const answer = await store.copyAbsent(...args)
          if (left === 0 && fails === 'after') throw new Error('killed')
          return answer
        },
      }))
      const complete = await staged(store, one)
      await expect(complete(one)).rejects.toThrow('killed')
      expect(await complete(other)).toMatchObject({ document: { tags: ['latest'] } })
      expect(await stagedKeys(store)).toEqual([])
    }
  })

  it('publishes nothing if other bytes were staged, and empties staging', async () => {
    for (const capabilities of [minioCapabilities, nothingKnown]) {
      const { store, other } = twoReplicas()
      const complete = await staged(store, other, new Uint8Array(KiB).fill(8))
      const checking = replicaOn(store, { capabilities: () => capabilities })
      await expect(complete(checking)).rejects.toMatchObject({ code: 'digest_mismatch' })
      expect(await stagedKeys(store)).toEqual([])
      await expect(other.documents.head(versionOf(bytes))).rejects.toMatchObject({
        code: 'document_not_found',
      })
    }
  })

  it('repairs a version that is damaged in the store', async () => {
    const { store, one } = twoReplicas()
    await one.documents.put(ref, uploadOf(bytes, { by: 'first' }))
    const { contentType, metadata } = (await store.head(key)) as never
    await store.put(key, bytes.subarray(1), { size: bytes.length - 1, contentType, metadata })
    const complete = await staged(store, one)
    expect(await complete(one)).toMatchObject({ created: false, document: { createdBy: 'first' } })
    expect(one.repaired).toEqual([versionOf(bytes)])
    expect((await store.head(key))?.size).toBe(bytes.length)
  })
})

describe('many completions of large uploads by one tenant', () => {
  it('keep no completion of another tenant waiting, small or large', async () => {
    const gate = Promise.withResolvers<void>()
    const store = createMemoryObjectStore()
    const held = (one: ObjectStore): ObjectStore => ({
      ...one,
      async copyAbsent(from, to, options) {
        if (to.startsWith('tenants/acme/')) await gate.promise
        return one.copyAbsent(from, to, options)
      },
    })
    const { transfers } = replicaOn(held(store))
    const large = new Uint8Array(9 * MiB)
    const completed = async (tenant: string, name: string, content: Uint8Array) => {
      const document = { tenant, type: 'snapshots', name }
      const created = await transfers.createUpload(document, ticketRequestFor(content))
      if (!('ticket' in created)) throw new Error('there is nothing to upload')
      const { id, ticket } = created.ticket
      await store.put(`staging/${tenant}/${id}`, content, { size: content.length, contentType: 'text/plain' })
      return transfers.completeUpload(document, id, { ticket, by: 'alice', traceId: '0'.repeat(32) })
    }
    const greedy = Array.from({ length: 5 }, (_, at) => completed('acme', `large-${at}`, large))
    expect(await completed('globex', 'small', bytes)).toMatchObject({ created: true })
    expect(await completed('globex', 'large', large)).toMatchObject({ created: true })
    gate.resolve()
    for (const one of await Promise.all(greedy)) expect(one).toMatchObject({ created: true })
  })
})

describe('a completion whose version is deleted', () => {
  it('is a conflict when it is repeated, and does not bring the version back', async () => {
    const { store, one, other } = twoReplicas()
    const complete = await staged(store, one)
    await complete(one)
    await remove(other)
    for (const replica of [one, other]) {
      await expect(complete(replica)).rejects.toMatchObject({ code: 'conflict' })
    }
    expect(await keysIn(store)).not.toContain(key)
  })

  it('is a conflict also if it was killed after it had published the bytes', async () => {
    const { store, one, other, pass } = twoReplicas((store) => ({
      ...store,
      put(key, body, options) {
        // A process that is killed neither writes the record nor gives the lease back.
        const isRenewal = key.endsWith('.lease') && 'etag' in (options.condition ?? {})
        const dies = isRenewal || key.includes('/records/')
        return dies ? Promise.reject(new Error('killed')) : store.put(key, body, options)
      },
    }))
    const complete = await staged(store, one)
    await expect(complete(one)).rejects.toThrow('killed')
    expect(await keysIn(store)).toContain(key)
    await remove(other)
    pass(limits.leaseSilenceSeconds + 1)
    await expect(complete(other)).rejects.toMatchObject({ code: 'conflict' })
    expect(await keysIn(store)).not.toContain(key)
    expect(await stagedKeys(store)).toEqual([])
  })

  it('takes back what it has published in vain after another replica took its lease over', async () => {
    let overtake = async () => {}
    const { store, one, other, pass } = twoReplicas((store) => ({
      ...store,
      async copyAbsent(_from, to, options) {
        await overtake()
        // The store had read staging before that was emptied.
        await store.put(to, bytes, { size: bytes.length, contentType: options.contentType })
        return 'copied'
      },
    }))
    const complete = await staged(store, one)
    overtake = async () => {
      pass(limits.leaseSilenceSeconds + 1)
      expect(await complete(other)).toMatchObject(published(true))
      await remove(other)
    }
    await expect(complete(one)).rejects.toMatchObject({ code: 'conflict' })
    expect(await keysIn(store)).not.toContain(key)
    await expect(other.documents.getTag(ref, 'latest')).rejects.toMatchObject({ code: 'document_not_found' })
  })
})
