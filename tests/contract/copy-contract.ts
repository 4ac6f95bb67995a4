import { describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import { bytesOf, MiB, seenUnder } from '../support/stores/bodies.ts'
import { contentType, fresh, freshKey, type Subject } from './store-under-test.ts'

const described = { contentType: 'text/plain', metadata: { who: 'the copy' } }
const staleEtag = 'd41d8cd98f00b204e9800998ecf8427e'

/** Checks what the port promises about copies and checksums. */
export function copyContract(subject: Subject): void {
  copies(subject)
  pinnedCopies(subject)
  checksums(subject)
}

/** Puts the bytes with metadata of their own. @returns their ETag. */
async function stored(store: ObjectStore, key: string, bytes: Uint8Array): Promise<string> {
  const put = await store.put(key, bytes, {
    size: bytes.length,
    contentType,
    metadata: { who: 'the source', only: 'here' },
  })
  return put?.etag ?? ''
}

function copies(subject: Subject): void {
  describe('copy', () => {
    it('gives the bytes under the new key, with the metadata given and none of the source', async () => {
      const { store } = subject()
      const [from, to] = [freshKey('from'), freshKey('to')]
      const ifMatch = await stored(store, from, bytesOf(1000))
      const copy = await store.copy(from, to, { ifMatch, ...described })
      expect(await seenUnder(store, to)).toEqual({
        etag: copy?.etag ?? '',
        size: 1000,
        bytes: bytesOf(1000),
        ...described,
      })
    })

    it('leaves the source as it was', async () => {
      const { store } = subject()
      const [from, to] = [freshKey('from'), freshKey('to')]
      const ifMatch = await stored(store, from, bytesOf(1000))
      const before = await seenUnder(store, from)
      await store.copy(from, to, { ifMatch, ...described })
      await store.delete(to)
      expect(await seenUnder(store, from)).toEqual(before)
    })

    it('replaces what was under the new key', async () => {
      const { store } = subject()
      const [from, to] = [freshKey('from'), freshKey('to')]
      await stored(store, to, bytesOf(7, 2))
      const ifMatch = await stored(store, from, bytesOf(9, 3))
      expect(await store.copy(from, to, { ifMatch, ...described })).not.toBeNull()
      expect(await seenUnder(store, to)).toMatchObject({ bytes: bytesOf(9, 3), ...described })
    })

    it('takes objects that are empty, and objects that were uploaded in parts', async () => {
      const { store } = subject()
      const [empty, parts, to] = [freshKey('empty'), freshKey('parts'), freshKey('to')]
      expect(
        await store.copy(empty, to, { ifMatch: await stored(store, empty, bytesOf(0)), ...described }),
      ).not.toBeNull()
      expect(await seenUnder(store, to)).toMatchObject({ size: 0, ...described })

      const upload = await store.startMultipart(parts, { contentType })
      await upload.uploadPart(bytesOf(5 * MiB))
      await upload.uploadPart(bytesOf(MiB, 2))
      await upload.complete()
      const ifMatch = (await store.head(parts))?.etag ?? ''
      expect(await store.copy(parts, to, { ifMatch, ...described })).not.toBeNull()
      const [source, copy] = [await seenUnder(store, parts), await seenUnder(store, to)]
      expect(copy).toMatchObject({ size: 6 * MiB, ...described })
      expect(copy?.bytes).toEqual(source?.bytes)
    })

    it('takes keys with any characters', async () => {
      const { store } = subject()
      const from = freshKey("a b+c%20d'é/日本 ?#&=(1)!*~")
      const to = `${from} copy`
      const ifMatch = await stored(store, from, bytesOf(9))
      expect(await store.copy(from, to, { ifMatch, ...described })).not.toBeNull()
      expect(await seenUnder(store, to)).toMatchObject({ bytes: bytesOf(9) })
    })

    it('answers null where there is no source, and changes nothing', async () => {
      const { store } = subject()
      const to = freshKey('to')
      await stored(store, to, bytesOf(7))
      const before = await seenUnder(store, to)
      expect(await store.copy(freshKey('absent'), to, { ifMatch: staleEtag, ...described })).toBeNull()
      expect(await seenUnder(store, to)).toEqual(before)
    })
  })
}

function pinnedCopies(subject: Subject): void {
  describe('copy of a source that was replaced', () => {
    it('answers null and copies nothing, or copies where the store ignores the pin', async () => {
      const { store, honoursCopyConditions } = subject()
      const [from, to] = [freshKey('from'), freshKey('to')]
      const ifMatch = await stored(store, from, bytesOf(9))
      await stored(store, from, bytesOf(9, 2))
      const copy = await store.copy(from, to, { ifMatch, ...described })
      const seen = await seenUnder(store, to)
      if (honoursCopyConditions) expect({ copy, seen }).toEqual({ copy: null, seen: null })
      else expect(seen).toMatchObject({ bytes: bytesOf(9, 2), etag: copy?.etag ?? '' })
    })
  })
}

function checksums(subject: Subject): void {
  describe('head with the checksum', () => {
    it('reports the SHA-256 of the whole object or none, never another one', async () => {
      const { store } = subject()
      const [one, parts] = [freshKey('one'), freshKey('parts')]
      const sha256 = Bun.SHA256.hash(bytesOf(9), 'hex')
      await store.put(one, bytesOf(9), { size: 9, contentType, sha256 })
      expect([sha256, undefined]).toContain((await store.head(one, { checksum: true }))?.sha256)

      const upload = await store.startMultipart(parts, { contentType })
      await upload.uploadPart(bytesOf(9))
      await upload.complete()
      expect([sha256, undefined]).toContain((await store.head(parts, { checksum: true }))?.sha256)
    })

    it('reports everything else as without the checksum', async () => {
      const { store, key } = fresh(subject)
      await stored(store, key, bytesOf(9))
      const plain = await store.head(key)
      expect(plain).not.toBeNull()
      expect(plain).not.toHaveProperty('sha256')
      expect(await store.head(key, { checksum: true })).toMatchObject({ ...plain })
      expect(await store.head(freshKey(), { checksum: true })).toBeNull()
    })
  })
}
