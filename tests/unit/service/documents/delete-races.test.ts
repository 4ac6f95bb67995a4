import { describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import {
  documentsInMemory,
  KiB,
  keysIn,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'

const bytes = new Uint8Array(KiB).fill(1)
const others = new Uint8Array(KiB).fill(2)

/** Documents on a store whose puts of versions are done at once but answered only when told, from the moment it is `closed`. */
function slowToAnswer() {
  const gate = { closed: false, reached: Promise.withResolvers<void>(), open: Promise.withResolvers<void>() }
  const decorate = (store: ObjectStore): ObjectStore => ({
    ...store,
    async put(key, body, options) {
      const answer = await store.put(key, body, options)
      if (gate.closed && key.includes('/documents/')) {
        gate.reached.resolve()
        await gate.open.promise
      }
      return answer
    },
  })
  const { documents, store } = documentsInMemory({ decorate })
  return {
    documents,
    store,
    /** Uploads {@link bytes}, deletes them when they are stored and not yet answered, and returns how the upload ends. */
    async deleteDuringUpload() {
      gate.closed = true
      const uploading = documents.put(versionOf(bytes), uploadOf(bytes))
      await gate.reached.promise
      await documents.deleteVersion(versionOf(bytes), { by: 'bob' })
      gate.open.resolve()
      return uploading
    },
  }
}

describe('a version that is deleted while it is uploaded', () => {
  it('does not leave latest dangling when the upload was the first of its bytes', async () => {
    const { store, deleteDuringUpload } = slowToAnswer()
    await expect(deleteDuringUpload()).rejects.toMatchObject({ code: 'conflict' })
    expect(await keysIn(store)).toEqual([])
  })

  it('does not leave latest dangling when the bytes were there before', async () => {
    const { documents, store, deleteDuringUpload } = slowToAnswer()
    await documents.put(versionOf(bytes), uploadOf(bytes))
    await deleteDuringUpload().catch(() => {})
    expect(await keysIn(store)).toEqual([])
  })

  it('leaves latest at the newest version that remains', async () => {
    const { documents, deleteDuringUpload } = slowToAnswer()
    await documents.put(versionOf(others), uploadOf(others))
    await documents.put(versionOf(bytes), uploadOf(bytes))
    await deleteDuringUpload().catch(() => {})
    expect(await documents.getTag(versionOf(others), 'latest')).toMatchObject({
      digest: versionOf(others).digest,
    })
  })
})
