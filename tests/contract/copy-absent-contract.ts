import { describe, expect, it } from 'bun:test'
import { bytesOf, MiB, seenUnder } from '../support/stores/bodies.ts'
import { contentType, freshKey, type Subject } from './store-under-test.ts'

const described = { contentType: 'text/plain', metadata: { who: 'the copy' } }
const staleEtag = 'd41d8cd98f00b204e9800998ecf8427e'

/** Checks what the port promises about copies that replace nothing. */
export function copyAbsentContract(subject: Subject): void {
  copies(subject)
  refusedCopies(subject)
}

/** Returns a source with metadata of its own, and what copies it to a key where there is nothing. */
async function sourceOf(subject: Subject, bytes: Uint8Array, name = 'from') {
  const { store } = subject()
  const [from, to] = [freshKey(name), freshKey(`${name} copy`)]
  const metadata = { who: 'the source', only: 'here' }
  const ifMatch = (await store.put(from, bytes, { size: bytes.length, contentType, metadata }))?.etag ?? ''
  const options = { ifMatch, size: bytes.length, ...described }
  const copy = (changes: Partial<typeof options> = {}) =>
    store.copyAbsent(from, to, { ...options, ...changes })
  return { store, from, to, copy }
}

function copies(subject: Subject): void {
  describe('copyAbsent', () => {
    it('gives the bytes under the new key, with the metadata given, and leaves the source alone', async () => {
      const { store, from, to, copy } = await sourceOf(subject, bytesOf(1000))
      const before = await seenUnder(store, from)
      expect(await copy()).toBe('copied')
      expect(await seenUnder(store, to)).toMatchObject({ size: 1000, bytes: bytesOf(1000), ...described })
      expect((await seenUnder(store, to))?.metadata).toEqual(described.metadata)
      expect(await seenUnder(store, from)).toEqual(before)
    })

    it('takes an empty object', async () => {
      const { store, to, copy } = await sourceOf(subject, bytesOf(0))
      expect(await copy({ ifMatch: '900150983cd24fb0d6963f7d28e17f72' })).toBe('changed')
      expect(await store.head(to)).toBeNull()
      expect(await copy()).toBe('copied')
      expect(await seenUnder(store, to)).toMatchObject({ size: 0, ...described })
      expect(await copy({ contentType: 'text/csv' })).toBe('exists')
      expect(await seenUnder(store, to)).toMatchObject({ size: 0, ...described })
    })

    it('takes an object that was uploaded in parts', async () => {
      const { store } = subject()
      const [from, to] = [freshKey('parts'), freshKey('to')]
      const upload = await store.startMultipart(from, { contentType })
      await upload.uploadPart(bytesOf(5 * MiB))
      await upload.uploadPart(bytesOf(MiB, 2))
      await upload.complete()
      const ifMatch = (await store.head(from))?.etag ?? ''
      expect(await store.copyAbsent(from, to, { ifMatch, size: 6 * MiB, ...described })).toBe('copied')
      const [source, copy] = [await seenUnder(store, from), await seenUnder(store, to)]
      expect(copy).toMatchObject({ size: 6 * MiB, ...described })
      expect(copy?.bytes).toEqual(source?.bytes)
    })

    it('takes keys with any characters', async () => {
      const { store, to, copy } = await sourceOf(subject, bytesOf(9), "a b+c%20d'é/日本 ?#&=(1)!*~")
      const outcome = await copy()
      // RGW 16.2 does not find such a source of a part; it is not used for copies anyway.
      expect(subject().honoursCopyConditions ? ['copied'] : ['copied', 'changed']).toContain(outcome)
      if (outcome === 'copied') expect(await seenUnder(store, to)).toMatchObject({ bytes: bytesOf(9) })
    })

    it('copies again after a delete', async () => {
      const { store, to, copy } = await sourceOf(subject, bytesOf(9))
      await copy()
      await store.delete(to)
      expect(await copy()).toBe('copied')
      expect(await seenUnder(store, to)).toMatchObject({ bytes: bytesOf(9) })
    })
  })
}

function refusedCopies(subject: Subject): void {
  describe('copyAbsent that does not copy', () => {
    it('reports an absent source as changed, and leaves nothing behind', async () => {
      const { store } = subject()
      const to = freshKey('to')
      const options = { ifMatch: staleEtag, size: 9, ...described }
      expect(await store.copyAbsent(freshKey('absent'), to, options)).toBe('changed')
      expect(await store.head(to)).toBeNull()
      expect(await store.listUnfinished(to)).toEqual([])
    })

    it('reports a source that was replaced as changed, where the store honours the pin', async () => {
      const { store, from, to, copy } = await sourceOf(subject, bytesOf(9))
      await store.put(from, bytesOf(9, 2), { size: 9, contentType })
      const outcome = await copy()
      const seen = await seenUnder(store, to)
      if (subject().honoursCopyConditions)
        expect({ outcome, seen }).toEqual({ outcome: 'changed', seen: null })
      else expect({ outcome, seen }).toMatchObject({ outcome: 'copied', seen: { bytes: bytesOf(9, 2) } })
      expect(await store.listUnfinished(to)).toEqual([])
    })

    it('keeps what is under the new key, where the store honours the condition', async () => {
      const { store, to, copy } = await sourceOf(subject, bytesOf(9))
      await store.put(to, bytesOf(9), { size: 9, contentType, metadata: { who: 'the first' } })
      const before = await seenUnder(store, to)
      const outcome = await copy()
      if (subject().honoursCopyConditions) {
        expect({ outcome, seen: await seenUnder(store, to) }).toEqual({ outcome: 'exists', seen: before })
      } else expect(outcome).toBe('copied')
      expect(await store.listUnfinished(to)).toEqual([])
    })

    it('lets exactly one of many racers win, those that put the object among them', async () => {
      const { store, to, copy } = await sourceOf(subject, bytesOf(9))
      const racers = Math.min(subject().racers, 16)
      const outcomes = await Promise.all(
        Array.from({ length: racers }, async (_, racer) => {
          const metadata = { who: `racer ${racer}` }
          if (racer % 4 > 0) return copy({ metadata })
          const condition = { absent: true } as const
          const put = await store.put(to, bytesOf(9), { size: 9, contentType, metadata, condition })
          return put ? 'copied' : 'exists'
        }),
      )
      const winners = outcomes.flatMap((outcome, racer) => (outcome === 'copied' ? [`racer ${racer}`] : []))
      expect(outcomes.filter((outcome) => outcome === 'exists')).toHaveLength(racers - winners.length)
      const seen = await seenUnder(store, to)
      expect(winners).toContain(seen?.metadata.who ?? '')
      expect(seen?.bytes).toEqual(bytesOf(9))
      if (subject().copiesOnce) expect(winners).toHaveLength(1)
      expect(await store.listUnfinished(to)).toEqual([])
    })
  })
}
