import { describe, expect, it } from 'bun:test'
import { createVersionLists } from '../../../../../service/documents/listing/version-lists.ts'
import type { ObjectStore } from '../../../../../service/object-store/object-store.ts'
import type { ListedVersion } from '../../../../../service/wire/answers.ts'
import { keyOf, ref } from '../../../../support/service/documents-under-test.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

/** A store with so many versions of a document, each a second younger than the one before, that counts its list calls. */
async function storeWith(versions: number) {
  let now = Date.parse('2026-03-01T00:00:00Z')
  const store = createMemoryObjectStore({ now: () => new Date(now) })
  const put = async (at: number) => {
    now += 1000
    const bytes = Buffer.from(`version ${at}`)
    await store.put(keyOf(bytes), bytes, { size: bytes.length, contentType: 'text/plain' })
    return Bun.SHA256.hash(bytes, 'hex')
  }
  const newestFirst: string[] = []
  for (let at = 0; at < versions; at += 1) newestFirst.unshift(await put(at))
  const calls = { list: 0 }
  const counting: Pick<ObjectStore, 'list'> = {
    list(options) {
      calls.list += 1
      return store.list(options)
    },
  }
  return { counting, calls, newestFirst, put }
}

const hexOf = ({ digest }: ListedVersion) => digest.slice('sha256:'.length)

/** Reads all pages, and returns the digests of their rows. */
async function readAll(lists: ReturnType<typeof createVersionLists>, limit: number): Promise<string[]> {
  const digests: string[] = []
  let after: ListedVersion | null = null
  for (;;) {
    const rows: ListedVersion[] = await lists.read(ref, { limit, after })
    digests.push(...rows.map(hexOf))
    after = rows.at(-1) ?? null
    if (rows.length < limit) return digests
  }
}

describe('the pages of the versions of a document', () => {
  it('hold each version once and in order, for far fewer listings than pages', async () => {
    const { counting, calls, newestFirst } = await storeWith(2500)
    expect(await readAll(createVersionLists(counting), 50)).toEqual(newestFirst)
    // Each of the three readings takes three calls, and gives a thousand rows.
    expect(calls.list).toBeLessThanOrEqual(12)
  })

  it('hold each version once whatever is kept of a listing', async () => {
    const { counting, newestFirst } = await storeWith(23)
    for (const rowsMax of [1, 5, 7, 22, 23, 24])
      expect(await readAll(createVersionLists(counting, { rowsMax }), 1)).toEqual(newestFirst)
  })

  it('begin with what was uploaded a moment ago', async () => {
    const { counting, put } = await storeWith(10)
    const lists = createVersionLists(counting)
    await lists.read(ref, { limit: 2, after: null })
    const newest = await put(10)
    const [first] = await lists.read(ref, { limit: 2, after: null })
    expect(first && hexOf(first)).toBe(newest)
  })

  it('are refused where there are more versions than can be sorted', async () => {
    const { counting } = await storeWith(11)
    const read = (listedMax: number) =>
      createVersionLists(counting, { listedMax }).read(ref, { limit: 5, after: null })
    await expect(read(10)).rejects.toMatchObject({ code: 'versions_exhausted', details: { versionsMax: 10 } })
    expect(await read(11)).toHaveLength(5)
  })
})
