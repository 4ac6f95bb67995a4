import { describe, expect, it, mock, spyOn } from 'bun:test'
import type { DocumentRecord } from '../../../../service/documents/document-record.ts'
import { createRecords } from '../../../../service/documents/record-store.ts'
import { createVersionRemoval } from '../../../../service/documents/version-removal.ts'
import { limits } from '../../../../service/limits.ts'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import {
  deletionKey,
  KiB,
  keyOf,
  keysIn,
  recordKey,
  ref,
  replicaOn,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { type LostAnswer, losingAnswers } from '../../../support/stores/lost-answers.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const [a, b, c] = [1, 2, 3].map((value) => new Uint8Array(KiB).fill(value)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

/** No DELETE of a mark can act any more after this. */
const fenceSeconds = limits.deletionAcceptedSeconds + limits.deletionSettledSeconds

/** A replica on a store in memory whose clock the test sets, and what removes versions there. */
function scene(decorate = (store: ObjectStore) => store) {
  let now = Date.parse('2026-11-29T12:00:00Z')
  const memory = createMemoryObjectStore({ now: () => new Date(now) })
  const store = decorate(memory)
  const sleep = async () => {}
  const { documents } = replicaOn(store, { sleep })
  const removal = createVersionRemoval({ store, records: createRecords(store, { sleep }), sleep })
  return {
    store: memory,
    documents,
    removal,
    upload: (bytes: Uint8Array) => documents.put(ref, uploadOf(bytes)),
    remove: (bytes: Uint8Array) => documents.deleteVersion(versionOf(bytes), { by: 'bob' }),
    latest: async () => (await documents.getTag(ref, 'latest')).digest,
    record: async (): Promise<DocumentRecord> =>
      new Response((await memory.get(recordKey))?.body).json() as Promise<DocumentRecord>,
    pass: (seconds: number) => {
      now += seconds * 1000
    },
  }
}

describe('the latest version after a delete', () => {
  it('is the one that was acknowledged before it, also if it was uploaded again', async () => {
    const { documents, upload, remove, latest } = scene()
    for (const bytes of [a, b, a, c]) await upload(bytes)
    await remove(c)
    expect(await documents.getTag(ref, 'latest')).toMatchObject({ digest: digestOf(a), movedBy: 'bob' })
    await remove(a)
    expect(await latest()).toBe(digestOf(b))
    await remove(b)
    await expect(latest()).rejects.toMatchObject({ code: 'document_not_found' })
  })

  it('is the one to which it was moved by hand before', async () => {
    const { documents, upload, remove, latest } = scene()
    for (const bytes of [a, b]) await upload(bytes)
    await documents.putTag(ref, 'latest', { digest: digestOf(a), by: 'alice' })
    await upload(c)
    await remove(c)
    expect(await latest()).toBe(digestOf(a))
  })

  it('stays where it is if another version is deleted', async () => {
    const { documents, upload, remove } = scene()
    for (const bytes of [a, b]) await upload(bytes)
    const before = await documents.getTag(ref, 'latest')
    await remove(a)
    expect(await documents.getTag(ref, 'latest')).toEqual(before)
  })

  it('is the newest of those that are there if none that was acknowledged is', async () => {
    const { store, upload, remove, latest, pass } = scene()
    await upload(a)
    // Left by a process that ended before it wrote the record.
    for (const bytes of [b, c]) {
      pass(1)
      await store.put(keyOf(bytes), bytes, { size: bytes.length, contentType: 'text/plain' })
    }
    await remove(a)
    expect(await latest()).toBe(digestOf(c))
  })

  it('is none that is gone from the store', async () => {
    const { store, upload, remove, latest } = scene()
    for (const bytes of [a, b, c]) await upload(bytes)
    await store.delete(keyOf(b))
    await remove(c)
    expect(await latest()).toBe(digestOf(a))
  })
})

describe('a delete', () => {
  it('is noted in the record, and leaves no mark', async () => {
    const { store, upload, remove, record } = scene()
    await upload(a)
    await remove(a)
    expect(await record()).toMatchObject({
      tags: {},
      order: [],
      deleting: {},
      deleted: [{ digest: digestOf(a), at: '2026-11-29T12:00:00.000Z', by: 'bob' }],
    })
    expect(await keysIn(store)).not.toContain(keyOf(a))
  })

  it('is not stopped by a client that disconnects once it has begun', async () => {
    const client = new AbortController()
    const { documents, upload, latest } = scene((store) => ({
      ...store,
      deleteBefore(key, options) {
        client.abort()
        return store.deleteBefore(key, options)
      },
    }))
    for (const bytes of [a, b]) await upload(bytes)
    await documents.deleteVersion(versionOf(b), { by: 'bob', signal: client.signal })
    expect(await latest()).toBe(digestOf(a))
  })

  it('takes its mark back if the store refuses it: the version is there, and is the latest again', async () => {
    const { documents, upload, remove, latest, record } = scene((store) => ({
      ...store,
      deleteBefore: async () => 'refused',
    }))
    for (const bytes of [a, b]) await upload(bytes)
    await expect(remove(b)).rejects.toMatchObject({ code: 'store_refused' })
    expect(await latest()).toBe(digestOf(b))
    expect(await documents.head(versionOf(b))).toMatchObject({ digest: digestOf(b) })
    expect(await record()).toMatchObject({ deleting: {}, deleted: [] })
  })

  it('may be tried again if the store was too slow to accept it', async () => {
    const { upload, remove, latest } = scene((store) => ({
      ...store,
      async deleteBefore() {
        const now = performance.now()
        spyOn(performance, 'now').mockReturnValue(now + limits.deletionAcceptedSeconds * 1000)
        return 'refused'
      },
    }))
    for (const bytes of [a, b]) await upload(bytes)
    await expect(remove(b)).rejects.toMatchObject({ code: 'store_unavailable' })
    mock.restore()
    expect(await latest()).toBe(digestOf(b))
  })

  it('is done if the store refuses it because another attempt was faster', async () => {
    const { upload, remove, record } = scene((store) => ({
      ...store,
      async deleteBefore(key) {
        await store.delete(key)
        return 'refused'
      },
    }))
    await upload(a)
    await remove(a)
    expect(await record()).toMatchObject({ deleting: {}, deleted: [{ digest: digestOf(a) }] })
  })
})

describe('two deletes at the same time', () => {
  it('are one deletion if they are of one version: the second finds nothing', async () => {
    const { store, documents, upload, remove, record } = scene()
    const other = replicaOn(store, { sleep: async () => {} }).documents
    for (const bytes of [a, b]) await upload(bytes)
    await documents.getTag(ref, 'latest')
    const outcomes = await Promise.allSettled([remove(b), other.deleteVersion(versionOf(b), { by: 'eve' })])
    const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(failed).toEqual(['document_not_found'])
    expect((await record()).deleted).toHaveLength(1)
  })

  it('leave latest at what remains if they are of the latest version and the one before it', async () => {
    let meanwhile = async () => {}
    const { store, upload, remove, latest } = scene((store) => ({
      ...store,
      // The last call before the mark of `c` is written, after its successor was looked for.
      async put(key, body, options) {
        if (key === deletionKey(c)) await meanwhile()
        return store.put(key, body, options)
      },
    }))
    for (const bytes of [a, b, c]) await upload(bytes)
    meanwhile = async () => {
      meanwhile = async () => {}
      await replicaOn(store).documents.deleteVersion(versionOf(b), { by: 'eve' })
    }
    await remove(c)
    expect(await latest()).toBe(digestOf(a))
  })
})

describe('a delete whose answer is lost', () => {
  const acts: [string, boolean][] = [
    ['after the store has acted', true],
    ['before the store could act', false],
  ]

  /** Two versions are uploaded, and the answer to the delete of the second one is lost. */
  async function interrupted(acts: boolean) {
    const lost: LostAnswer[] = [{ acts }]
    const under = scene((store) => losingAnswers(store, 'deleteBefore', lost))
    for (const bytes of [a, b]) await under.upload(bytes)
    await expect(under.remove(b)).rejects.toMatchObject({ code: 'store_unavailable' })
    return under
  }

  it.each(acts)('%s keeps its mark, and everything else works', async (_, acts) => {
    const { documents, upload, remove, latest, record } = await interrupted(acts)
    expect(Object.keys((await record()).deleting)).toEqual([digestOf(b)])
    expect(await latest()).toBe(digestOf(a))
    await upload(c)
    await documents.putTag(ref, 'stable', { digest: digestOf(a), by: 'alice' })
    const busy = { code: 'busy', retryAfterSeconds: limits.deletionAcceptedSeconds }
    await expect(upload(b)).rejects.toMatchObject(busy)
    await expect(remove(b)).rejects.toMatchObject(busy)
    if (acts) return
    const tagging = documents.putTag(ref, 'stable', { digest: digestOf(b), by: 'alice' })
    await expect(tagging).rejects.toMatchObject(busy)
  })

  it.each(acts)(
    '%s is ended by the next upload of its bytes once it cannot act any more',
    async (_, acts) => {
      const { documents, upload, latest, record, pass } = await interrupted(acts)
      pass(fenceSeconds - 1)
      await expect(upload(b)).rejects.toMatchObject({ code: 'busy' })
      pass(1)
      expect(await upload(b)).toMatchObject({ created: true, document: { tags: ['latest'] } })
      expect(await latest()).toBe(digestOf(b))
      expect(await documents.head(versionOf(b))).toMatchObject({ digest: digestOf(b) })
      expect(await record()).toMatchObject({ deleting: {}, deleted: [] })
    },
  )

  it.each(acts)('%s is ended by the next delete', async (_, acts) => {
    const { documents, remove, record, pass } = await interrupted(acts)
    pass(fenceSeconds)
    await remove(b)
    await expect(documents.head(versionOf(b))).rejects.toMatchObject({ code: 'document_not_found' })
    expect(await record()).toMatchObject({ deleting: {}, deleted: [{ digest: digestOf(b) }] })
  })

  it.each(acts)('%s is ended by the sweeper', async (_, acts) => {
    const { store, removal, record, pass } = await interrupted(acts)
    expect(await keysIn(store)).toContain(deletionKey(b))
    expect(await removal.finish(versionOf(b))).toBe(false)
    pass(fenceSeconds)
    expect(await removal.finish(versionOf(b))).toBe(true)
    expect(await record()).toMatchObject({ deleting: {}, deleted: [{ digest: digestOf(b), by: 'bob' }] })
    expect(await keysIn(store)).not.toContain(keyOf(b))
    expect(await removal.finish(versionOf(b))).toBe(false)
  })
})

describe('a removal of what the record lists as deleted', () => {
  const onlyIfDeleted = { by: 'sweeper', onlyIfDeleted: true }

  it('removes bytes that arrived after the deletion', async () => {
    const { store, documents, removal, upload, remove } = scene()
    await upload(a)
    await remove(a)
    await store.put(keyOf(a), a, { size: a.length, contentType: 'text/plain' })
    await removal.remove(versionOf(a), onlyIfDeleted)
    await expect(documents.head(versionOf(a))).rejects.toMatchObject({ code: 'document_not_found' })
  })

  it('keeps a version that was never deleted, or has been uploaded again', async () => {
    const { documents, removal, upload, remove } = scene()
    for (const bytes of [a, b]) await upload(bytes)
    await remove(b)
    await upload(b)
    for (const bytes of [a, b]) {
      await removal.remove(versionOf(bytes), onlyIfDeleted)
      expect(await documents.head(versionOf(bytes))).toMatchObject({ digest: digestOf(bytes) })
    }
  })

  it('keeps a version that is uploaded again while it looks', async () => {
    const bytes = a
    let uploadAgain = async () => {}
    const { store, documents, removal, upload, remove, latest } = scene((store) => ({
      ...store,
      // The last look at the store before the mark is written.
      async put(key, body, options) {
        if (key === deletionKey(bytes)) await uploadAgain()
        return store.put(key, body, options)
      },
    }))
    await upload(bytes)
    await remove(bytes)
    await store.put(keyOf(bytes), bytes, { size: bytes.length, contentType: 'text/plain' })
    uploadAgain = async () => {
      uploadAgain = async () => {}
      await upload(bytes)
    }
    await removal.remove(versionOf(bytes), onlyIfDeleted)
    expect(await documents.head(versionOf(bytes))).toMatchObject({ digest: digestOf(bytes) })
    expect(await latest()).toBe(digestOf(bytes))
  })
})
