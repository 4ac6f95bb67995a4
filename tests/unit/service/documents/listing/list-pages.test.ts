import { describe, expect, it, setSystemTime } from 'bun:test'
import {
  type ListPlace,
  readListPage,
  readPrefixPage,
} from '../../../../../service/documents/listing/list-pages.ts'
import { limits } from '../../../../../service/limits.ts'
import { type ListOptions, ObjectStoreError } from '../../../../../service/object-store/object-store.ts'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const prefix = 'tenants/acme/documents/'
const names = Array.from({ length: 1205 }, (_, at) => String(at).padStart(4, '0'))

const store = createMemoryObjectStore()
for (const name of names) await put(name)

function put(name: string) {
  return store.put(prefix + name, new Uint8Array(), { size: 0, contentType: 'text/plain' })
}

interface Way {
  startAfterExact: boolean
  limit: number
  /** What becomes of the place between two pages. */
  meanwhile?: (place: ListPlace) => ListPlace | Promise<ListPlace>
}

/** Reads all pages; fails after more of them than there can be. */
async function readAll({ startAfterExact, limit, meanwhile = (place) => place }: Way) {
  const calls: ListOptions[] = []
  const list: typeof store.list = (options) => {
    calls.push(options)
    return store.list(options)
  }
  const read: string[] = []
  let from: ListPlace | null = null
  do {
    const page = await readListPage({ list }, { prefix, limit, from, startAfterExact })
    read.push(...page.rows.map(({ key }) => key.slice(prefix.length)))
    from = page.next && (await meanwhile(page.next))
  } while (from !== null && read.length <= names.length)
  return { read, calls }
}

const aged = (place: ListPlace) => ({ ...place, givenAt: place.givenAt - limits.listTokenSecondsMax * 1000 })

describe('pages of a listing', () => {
  it('follow each other by key where a listing can begin after one, whatever their age', async () => {
    const { read, calls } = await readAll({ startAfterExact: true, limit: 100, meanwhile: aged })
    expect(read).toEqual(names)
    expect(calls).toHaveLength(13)
    expect(calls.filter(({ token }) => token !== undefined)).toEqual([])
  })

  it('follow each other by token where a listing cannot begin after a key', async () => {
    const { read, calls } = await readAll({ startAfterExact: false, limit: 100 })
    expect(read).toEqual(names)
    // Two more confirm the end.
    expect(calls).toHaveLength(15)
    expect(calls.filter(({ startAfter }) => startAfter !== undefined)).toEqual([])
  })

  it('are found again from the start where their token is too old', async () => {
    for (const limit of [7, 100, 1000]) {
      const { read, calls } = await readAll({ startAfterExact: false, limit, meanwhile: aged })
      expect(read).toEqual(names)
      expect(calls.filter(({ startAfter }) => startAfter !== undefined)).toEqual([])
    }
  })

  it('are found again where the store does not know their token', async () => {
    const meanwhile = (place: ListPlace) => ({ ...place, token: 'of another store' })
    expect((await readAll({ startAfterExact: false, limit: 100, meanwhile })).read).toEqual(names)
  })

  it('do not end where a token is answered with an end that a listing from the start does not have', async () => {
    const list: typeof store.list = async (options) =>
      options.token !== undefined && options.limit === 100 ? { objects: [], next: null } : store.list(options)
    const first = await readListPage({ list }, { prefix, limit: 100, from: null, startAfterExact: false })
    const from = first.next
    const second = await readListPage({ list }, { prefix, limit: 100, from, startAfterExact: false })
    expect(second.rows.map(({ key }) => key.slice(prefix.length))).toEqual(names.slice(100, 200))
    expect(second.next).toMatchObject({ after: '0199' })
  })

  it('fail where the store fails, although their token is new', async () => {
    const from = { after: names[0] ?? '', token: 'any', givenAt: Date.now() }
    const list = () => Promise.reject(new ObjectStoreError('unavailable', 'list', 'SlowDown'))
    const read = readListPage({ list }, { prefix, limit: 10, from, startAfterExact: false })
    await expect(read).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('are refused where their place is gone and their token is old, rather than repeated or left out', async () => {
    const from = { after: '0000-deleted', token: '', givenAt: 0 }
    const read = readListPage(store, { prefix, limit: 10, from, startAfterExact: false })
    await expect(read).rejects.toMatchObject({ code: 'cursor_invalid' })
  })

  it('carry the time of their token', async () => {
    setSystemTime(new Date('2026-01-02T03:04:05Z'))
    const page = await readListPage(store, { prefix, limit: 10, from: null, startAfterExact: false })
    setSystemTime()
    expect(page.next).toEqual({
      after: '0009',
      token: expect.stringMatching(/./),
      givenAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    })
  })
})

describe('pages of folders', () => {
  const folders = Array.from({ length: 230 }, (_, at) => `${prefix}f${String(at).padStart(3, '0')}/`)

  async function filled() {
    const store = createMemoryObjectStore()
    for (const folder of folders)
      for (const key of ['1', '2'])
        await store.put(folder + key, new Uint8Array(), { size: 0, contentType: 'text/plain' })
    return store
  }

  it('follow each other, each folder once, by a call for each page while their tokens are new', async () => {
    const store = await filled()
    for (const [limit, meanwhile] of [
      [7, (place: ListPlace) => place],
      [1000, aged],
      [50, aged],
    ] as const) {
      const read: string[] = []
      for (let from: ListPlace | null = null; ; ) {
        const page = await readPrefixPage(store, { prefix, limit, from })
        read.push(...page.rows)
        if (page.next === null) break
        from = meanwhile(page.next)
      }
      expect(read).toEqual(folders)
    }
  })

  it('cost one call if they are the only one, also if they are full', async () => {
    const { listPrefixes } = await filled()
    let calls = 0
    const counting: typeof listPrefixes = (options) => {
      calls += 1
      return listPrefixes(options)
    }
    const page = await readPrefixPage(
      { listPrefixes: counting },
      { prefix, limit: folders.length, from: null },
    )
    expect([page.rows.length, page.next, calls]).toEqual([folders.length, null, 1])
  })

  it('are refused where their place is gone and their token is old', async () => {
    const from = { after: 'deleted/', token: '', givenAt: 0 }
    const read = readPrefixPage(await filled(), { prefix, limit: 10, from })
    await expect(read).rejects.toMatchObject({ code: 'cursor_invalid' })
  })
})

describe('a full page whose last key is the marker of a folder', () => {
  it('is not taken for the last one, whatever the store says', async () => {
    const store = createMemoryObjectStore()
    const keys = ['', 'a/', 'a/1', 'b/', 'b/2'].map((key) => prefix + key)
    for (const key of keys) await store.put(key, new Uint8Array(), { size: 0, contentType: 'text/plain' })
    /** Ends each short page at a marker, as SeaweedFS does. */
    const list: typeof store.list = async (options) => {
      const page = await store.list(options)
      const ends = options.limit < limits.listLimitMax && page.objects.at(-1)?.key.endsWith('/')
      return ends ? { ...page, next: null } : page
    }
    for (const limit of [1, 2, 3, 4, 5, 6]) {
      const read: string[] = []
      let from: ListPlace | null = null
      do {
        const page = await readListPage({ list }, { prefix, limit, from, startAfterExact: false })
        read.push(...page.rows.map(({ key }) => key))
        from = page.next
      } while (from !== null)
      expect(read).toEqual(keys)
    }
  })
})
