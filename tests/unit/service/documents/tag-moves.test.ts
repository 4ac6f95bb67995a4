import { describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import {
  KiB,
  keyOf,
  ref,
  replicaOn,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const a = new Uint8Array(KiB).fill(1)
const b = new Uint8Array(KiB).fill(2)

/** Two replicas on one store, with both versions; `meanwhile` happens before the next head of `a` by `one` is answered. */
async function twoReplicas() {
  const store = createMemoryObjectStore()
  const scene = { meanwhile: async () => {} }
  const interrupted: ObjectStore = {
    ...store,
    async head(key, options) {
      const info = await store.head(key, options)
      const { meanwhile } = scene
      if (key === keyOf(a)) {
        scene.meanwhile = async () => {}
        await meanwhile()
      }
      return info
    },
  }
  const [one, other] = [replicaOn(interrupted).documents, replicaOn(store).documents]
  for (const bytes of [a, b]) await other.put(ref, uploadOf(bytes))
  const point = (documents: typeof one, tag: string, bytes: Uint8Array, ifMatch?: string[]) =>
    documents.putTag(ref, tag, { digest: digestOf(bytes), by: 'alice', condition: { ifMatch } })
  const remove = (bytes: Uint8Array) => other.deleteVersion(versionOf(bytes), { by: 'bob' })
  return { store, scene, one, other, point, remove }
}

describe('a tag', () => {
  it('is not pointed at a version that another replica deletes at the same time', async () => {
    const { scene, one, point, remove } = await twoReplicas()
    scene.meanwhile = () => remove(a)
    await expect(point(one, 'stable', a)).rejects.toMatchObject({ code: 'version_unknown' })
    await expect(one.getTag(ref, 'stable')).rejects.toMatchObject({ code: 'document_not_found' })
  })

  it.each(['one', 'other'] as const)(
    'keeps its version from a delete that had looked before it was moved by replica "%s"',
    async (mover) => {
      const { scene, one, other, point } = await twoReplicas()
      scene.meanwhile = async () => void (await point({ one, other }[mover], 'stable', a))
      const removing = one.deleteVersion(versionOf(a), { by: 'bob' })
      await expect(removing).rejects.toMatchObject({ code: 'version_tagged', details: { tags: ['stable'] } })
      expect(await other.head(versionOf(a))).toMatchObject({ digest: digestOf(a) })
    },
  )

  it('moves only from where a condition says, whichever replica has moved it', async () => {
    const { scene, one, other, point } = await twoReplicas()
    const { tag, before } = await point(one, 'stable', a)
    expect(before).toBeUndefined()
    scene.meanwhile = async () => void (await point(other, 'stable', b, [tag.etag]))
    await expect(point(one, 'stable', a, [tag.etag])).rejects.toMatchObject({ code: 'precondition_failed' })
    expect((await one.getTag(ref, 'stable')).digest).toBe(digestOf(b))
    await expect(
      other.deleteTag(ref, 'stable', { condition: { ifMatch: [tag.etag] } }),
    ).rejects.toMatchObject({
      code: 'precondition_failed',
    })
  })

  it('has an entity tag that other changes of the document leave as it is', async () => {
    const { one, other, point } = await twoReplicas()
    const { tag } = await point(one, 'stable', a)
    await other.put(ref, uploadOf(new Uint8Array(KiB).fill(3)))
    expect(await one.getTag(ref, 'stable')).toEqual(tag)
    // A move to where it points already is a move.
    const { tag: again, before } = await point(other, 'stable', a, [tag.etag])
    expect([before, again.etag === tag.etag]).toEqual([digestOf(a), false])
  })
})

describe('a read by tag', () => {
  const read = (documents: Awaited<ReturnType<typeof twoReplicas>>['one'], tag: string) =>
    documents.byTag(ref, tag, (version) => documents.head(version))

  /** What a read by tag returns, and the versions that it has read and discarded. */
  async function observedRead(documents: Awaited<ReturnType<typeof twoReplicas>>['one'], tag: string) {
    const read: string[] = []
    const discarded: string[] = []
    const found = await documents.byTag(
      ref,
      tag,
      (version) => {
        read.push(version.digest)
        return documents.head(version)
      },
      { discard: ({ digest }) => void discarded.push(digest) },
    )
    return { found: found.digest, read, discarded }
  }

  it('reads the version that the tag pointed to last while it reads the record', async () => {
    const { one, point } = await twoReplicas()
    await point(one, 'stable', a)
    const expected = { found: digestOf(a), read: [digestOf(a)], discarded: [] }
    expect(await observedRead(one, 'stable')).toEqual(expected)
  })

  it('never gives the version that the tag pointed to last if another replica has moved the tag', async () => {
    const { one, other, point } = await twoReplicas()
    await point(one, 'stable', a)
    await point(other, 'stable', b)
    const expected = { found: digestOf(b), read: [digestOf(a), digestOf(b)], discarded: [digestOf(a)] }
    expect(await observedRead(one, 'stable')).toEqual(expected)
    await other.deleteTag(ref, 'stable')
    await expect(observedRead(one, 'stable')).rejects.toMatchObject({ code: 'document_not_found' })
  })

  it('survives that the version which the tag pointed to last cannot be read any more', async () => {
    const { one, other, point, remove } = await twoReplicas()
    await point(one, 'stable', a)
    await point(other, 'stable', b)
    await remove(a)
    expect(await observedRead(one, 'stable')).toMatchObject({ found: digestOf(b), discarded: [] })
  })

  it('reads a version again if the tag has come back to it', async () => {
    const { one, other, point } = await twoReplicas()
    await point(one, 'stable', a)
    for (const bytes of [b, a]) await point(other, 'stable', bytes)
    const expected = { found: digestOf(a), read: [digestOf(a), digestOf(a)], discarded: [digestOf(a)] }
    expect(await observedRead(one, 'stable')).toEqual(expected)
  })

  it('follows the tag if its version was deleted since the record was read', async () => {
    const { one, remove } = await twoReplicas()
    let left = 1
    const found = await one.byTag(ref, 'latest', async (version) => {
      if (left-- > 0) await remove(b)
      return one.head(version)
    })
    expect(found.digest).toBe(digestOf(a))
  })

  it('is 404 for a version that is gone while the tag still points to it', async () => {
    const { store, one } = await twoReplicas()
    await store.delete(keyOf(b))
    await expect(read(one, 'latest')).rejects.toMatchObject({ code: 'document_not_found' })
  })

  it('finds the newest version of a document whose only uploads ended before the record was written', async () => {
    const store = createMemoryObjectStore()
    const { documents } = replicaOn(store)
    const metadata = { 'created-by': 'alice' }
    await store.put(keyOf(a), a, { size: a.length, contentType: 'text/plain', metadata })
    expect(await read(documents, 'latest')).toMatchObject({ digest: digestOf(a) })
    expect(await documents.getTag(ref, 'latest')).toMatchObject({ digest: digestOf(a), movedBy: 'alice' })
    await expect(read(documents, 'stable')).rejects.toMatchObject({ code: 'document_not_found' })
  })

  it('does not find a version that was deleted and arrived again late', async () => {
    const { store, one, remove } = await twoReplicas()
    for (const bytes of [a, b]) await remove(bytes)
    await store.put(keyOf(a), a, { size: a.length, contentType: 'text/plain' })
    await expect(read(one, 'latest')).rejects.toMatchObject({ code: 'document_not_found' })
  })
})
