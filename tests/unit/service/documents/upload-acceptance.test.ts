import { describe, expect, it } from 'bun:test'
import type { Upload } from '../../../../service/documents/documents.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import {
  KiB,
  keyOf,
  keysIn,
  MiB,
  type Replica,
  recordKey,
  ref,
  replicaOn,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { digestOf, randomDocument } from '../../../support/service/sample-documents.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const a = new Uint8Array(KiB).fill(1)
const b = new Uint8Array(KiB).fill(2)
/** Streamed if its digest and size are declared, and staged in parts if it is not. */
const large = randomDocument(9 * MiB)
const declared = { size: large.length, digest: digestOf(large) }

/** What happens after the store has done a put and before the replica learns of it. */
type AfterPut = (key: string) => Promise<unknown> | undefined

/** Two replicas on one store, without pauses; what `afterPut` does happens to the puts of `one`. */
function twoReplicas(afterPut: AfterPut = () => undefined) {
  const store = createMemoryObjectStore()
  const interrupted: ObjectStore = {
    ...store,
    async put(key, body, options) {
      const answer = await store.put(key, body, options)
      await afterPut(key)
      return answer
    },
  }
  const sleep = async () => {}
  return { store, one: replicaOn(interrupted, { sleep }), other: replicaOn(store, { sleep }) }
}

/** Does something once, after the first put of the version with these bytes. */
function onceAfter(bytes: Uint8Array, work: () => Promise<unknown>): AfterPut {
  let left = 1
  return (key) => {
    if (key !== keyOf(bytes) || left === 0) return undefined
    left -= 1
    return work()
  }
}

const upload = ({ documents }: Replica, bytes: Uint8Array, more: Partial<Upload> = {}) =>
  documents.put(ref, uploadOf(bytes, more))

const remove = ({ documents }: Replica, bytes: Uint8Array) =>
  documents.deleteVersion(versionOf(bytes), { by: 'bob' })

async function latestOf({ documents }: Replica): Promise<string> {
  return (await documents.getTag(ref, 'latest')).digest
}

async function read({ documents }: Replica, bytes: Uint8Array): Promise<Uint8Array> {
  const { body } = await documents.open(versionOf(bytes))
  return new Uint8Array(await new Response(body as BodyInit).arrayBuffer())
}

describe('the latest version', () => {
  it('is the one whose upload was acknowledged last, whenever that was admitted', async () => {
    const { one, other } = twoReplicas()
    await upload(one, b, { admittedAt: new Date(2000) })
    const { document } = await upload(other, a, { admittedAt: new Date(1000) })
    expect(document).toMatchObject({ tags: ['latest'], createdAt: '1970-01-01T00:00:01.000Z' })
    expect(await latestOf(one)).toBe(digestOf(a))
  })

  it('is a slow upload that began before others which have ended', async () => {
    const { one, other } = twoReplicas(onceAfter(a, () => upload(other, b)))
    await upload(one, a)
    expect(await latestOf(other)).toBe(digestOf(a))
  })

  it('is a version that was there already, once it is uploaded again', async () => {
    const { one, other } = twoReplicas()
    for (const bytes of [a, b]) await upload(one, bytes)
    const { document, created } = await upload(other, a)
    expect({ created, tags: document.tags }).toEqual({ created: false, tags: ['latest'] })
    expect(await latestOf(one)).toBe(digestOf(a))
  })

  it('is repaired by the retry of an upload that a crash left without a record', async () => {
    const crash = onceAfter(a, () => Promise.reject(new Error('killed')))
    const { store, one } = twoReplicas(crash)
    await expect(upload(one, a)).rejects.toThrow('killed')
    expect(await keysIn(store)).toEqual([keyOf(a)])
    expect(await upload(one, a)).toMatchObject({ created: false, document: { tags: ['latest'] } })
    expect(await latestOf(one)).toBe(digestOf(a))
  })
})

describe('two uploads of the same bytes', () => {
  it('create one version, with the metadata of the first writer, on whatever replica', async () => {
    const { one, other } = twoReplicas()
    const by = (subject: string) => ({ by: subject, contentType: `text/${subject}` })
    const uploads = await Promise.all([upload(one, a, by('alice')), upload(other, a, by('bob'))])
    const [winner, loser] = uploads.toSorted((x, y) => Number(y.created) - Number(x.created))
    expect(uploads.filter(({ created }) => created)).toHaveLength(1)
    expect(loser?.document).toEqual(winner?.document as never)
  })
})

describe('an upload whose version is deleted before it is acknowledged', () => {
  it('puts its bytes again while it has them, and is there', async () => {
    for (const bytes of [a, large]) {
      const { one, other } = twoReplicas(onceAfter(bytes, () => remove(other, bytes)))
      expect(await upload(one, bytes)).toMatchObject({ created: true, document: { tags: ['latest'] } })
      expect(await read(other, bytes)).toEqual(bytes)
      expect(await latestOf(other)).toBe(digestOf(bytes))
    }
  })

  it('is not the first of another upload that has put the version there since', async () => {
    const { one, other } = twoReplicas(
      onceAfter(a, async () => {
        await remove(other, a)
        await upload(other, a, { by: 'bob' })
      }),
    )
    expect(await upload(one, a)).toMatchObject({ created: false, document: { createdBy: 'bob' } })
  })

  it('is refused as busy if its bytes have passed by, and leaves latest where it was', async () => {
    const { one, other } = twoReplicas(onceAfter(large, () => remove(other, large)))
    await upload(other, a)
    await expect(upload(one, large, declared)).rejects.toMatchObject({ code: 'busy' })
    expect(await latestOf(one)).toBe(digestOf(a))
    await expect(one.documents.head(versionOf(large))).rejects.toMatchObject({ code: 'document_not_found' })
  })

  it('waits for the end of a deletion that is under way', async () => {
    const store = createMemoryObjectStore()
    const begun = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const deleting = replicaOn({
      ...store,
      async deleteBefore(key, options) {
        begun.resolve()
        await released.promise
        return store.deleteBefore(key, options)
      },
    })
    const uploading = replicaOn(store, { sleep: async () => released.resolve() })
    await upload(uploading, a)
    const removed = remove(deleting, a)
    await begun.promise
    expect(await upload(uploading, a)).toMatchObject({ created: true, document: { tags: ['latest'] } })
    await removed
    expect(await read(deleting, a)).toEqual(a)
  })
})

describe('a version that is damaged in the store', () => {
  const damages: [string, Uint8Array][] = [
    ['that is cut short', a.subarray(1)],
    ['that is empty', new Uint8Array()],
    ['with other bytes', new Uint8Array(KiB).fill(9)],
  ]

  /** Uploads bytes, then damages them behind the service's back as a store that loses or changes bytes. */
  async function damaged(bytes: Uint8Array, found: Uint8Array) {
    const { store, one } = twoReplicas()
    const { document } = await upload(one, bytes, { by: 'first' })
    const { contentType, metadata } = (await store.head(keyOf(bytes))) as never
    await store.put(keyOf(bytes), found, { size: found.length, contentType, metadata })
    return { store, one, document }
  }

  it.each(damages)('%s is replaced by any upload of the right bytes', async (_, found) => {
    const { one, document } = await damaged(a, found)
    expect(await upload(one, a, { by: 'second' })).toEqual({ created: false, document })
    expect(one.repaired).toEqual([versionOf(a)])
    expect(await read(one, a)).toEqual(a)
  })

  it('is replaced by the second upload if the bytes of the first one have passed by', async () => {
    const { one, document } = await damaged(large, large.subarray(1))
    await expect(upload(one, large, declared)).rejects.toMatchObject({ code: 'busy' })
    expect(await upload(one, large, declared)).toEqual({ created: false, document })
    expect(one.repaired).toEqual([versionOf(large)])
    expect(await read(one, large)).toEqual(large)
  })

  it('is replaced by bytes that were staged in parts', async () => {
    const { one, document } = await damaged(large, large.subarray(1))
    expect(await upload(one, large)).toEqual({ created: false, document })
    expect(await read(one, large)).toEqual(large)
  })

  it('is found by a read where the store knows no checksum, and replaced by the next upload', async () => {
    const store = createMemoryObjectStore()
    const one = replicaOn({ ...store, head: (key) => store.head(key) })
    await upload(one, large, declared)
    const { contentType, metadata } = (await store.head(keyOf(large))) as never
    const other = large.slice()
    other[0] = (other[0] ?? 0) ^ 1
    await store.put(keyOf(large), other, { size: other.length, contentType, metadata })
    await expect(read(one, large)).rejects.toBeDefined()
    expect(one.violations).toHaveLength(1)
    await upload(one, large)
    expect(await read(one, large)).toEqual(large)
  })
})

describe('an upload whose condition holds before its bytes are stored, and no longer after it', () => {
  const overA = { condition: { ifMatch: [digestOf(a)] } }
  const c = new Uint8Array(KiB).fill(3)

  it('leaves the version that was acknowledged meanwhile as the latest, and names the one that it has stored', async () => {
    const { one, other } = twoReplicas(onceAfter(b, () => upload(other, c)))
    await upload(other, a)
    const digest = digestOf(b)
    const refusal = { code: 'precondition_failed', details: { digest } }
    await expect(upload(one, b, overA)).rejects.toMatchObject(refusal)
    expect(await latestOf(one)).toBe(digestOf(c))
    expect(await read(one, b)).toEqual(b)
  })

  it('does not bring back a version that was deleted before', async () => {
    const { store, one, other } = twoReplicas(onceAfter(b, () => upload(other, c)))
    for (const bytes of [a, b]) await upload(other, bytes)
    await remove(other, b)
    await expect(upload(one, b, overA)).rejects.toMatchObject({ code: 'precondition_failed', details: {} })
    expect(await store.head(keyOf(b))).toBeNull()
  })
})

describe('an upload under a damaged record', () => {
  it('is refused, and leaves the record for its repair', async () => {
    const { store, one } = twoReplicas()
    const text = new TextEncoder().encode('{')
    await store.put(recordKey, text, { size: text.length, contentType: 'application/json' })
    await expect(upload(one, a)).rejects.toMatchObject({ code: 'integrity_violated' })
    expect((await store.head(recordKey))?.size).toBe(1)
  })
})
