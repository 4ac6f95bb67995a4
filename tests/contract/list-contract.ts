import { beforeAll, describe, expect, it } from 'bun:test'
import type {
  ListedObject,
  ListPage,
  ObjectStore,
  PrefixPage,
} from '../../service/object-store/object-store.ts'
import { bytesIn, bytesOf, forEachParallel, seenUnder } from '../support/stores/bodies.ts'
import { contentType, fresh, freshKey, type Subject } from './store-under-test.ts'

const fillMillisecondsMax = 120_000

/** Checks what the port promises about listings. */
export function listContract(subject: Subject): void {
  listedObjects(subject)
  listPages(subject)
  listedOrder(subject)
  listedPrefixes(subject)
}

/** Puts an object of one byte under each of `names` in a folder of its own. */
async function fill(store: ObjectStore, names: string[]): Promise<string> {
  const folder = `${freshKey()}/`
  await forEachParallel(names, 16, async (name) => {
    await store.put(folder + name, bytesOf(1), { size: 1, contentType })
  })
  return folder
}

function namesIn(folder: string, objects: ListedObject[]): string[] {
  return objects.map(({ key }) => key.slice(folder.length))
}

async function list(store: ObjectStore, folder: string, limit = 1000): Promise<string[]> {
  return namesIn(folder, (await store.list({ prefix: folder, limit })).objects)
}

/** All names in the folder, each page starting after the last key of the page before. */
async function visitByKey(store: ObjectStore, folder: string, limit: number): Promise<string[]> {
  const visited: string[] = []
  for (let more = true; more; ) {
    const after = visited.length === 0 ? {} : { startAfter: folder + visited.at(-1) }
    const page = await store.list({ prefix: folder, limit, ...after })
    visited.push(...namesIn(folder, page.objects))
    more = page.next !== null
  }
  return visited
}

/** All names in the folder, each page continuing by the token of the page before. */
async function visitByToken(store: ObjectStore, folder: string, limit: number): Promise<string[]> {
  const visited: string[] = []
  for (let token: string | null | undefined; token !== null; ) {
    const page: ListPage = await store.list({ prefix: folder, limit, token })
    if (page.next !== null) expect(page.objects.length).toBeGreaterThan(0)
    visited.push(...namesIn(folder, page.objects))
    token = page.next
  }
  return visited
}

function listedObjects(subject: Subject): void {
  describe('list', () => {
    it('reports of each object what head reports', async () => {
      const { store, key, put } = fresh(subject)
      const stored = await put(bytesOf(10))
      const { objects, next } = await store.list({ prefix: key, limit: 10 })
      expect(next).toBe(null)
      expect(objects).toHaveLength(1)
      expect(objects[0]).toMatchObject({ key, size: 10, etag: stored?.etag ?? '' })
      // Stores list milliseconds and give whole seconds in headers.
      const head = await store.head(key)
      const drift = (objects[0]?.lastModified.getTime() ?? 0) - (head?.lastModified.getTime() ?? 0)
      expect(Math.abs(drift)).toBeLessThanOrEqual(1000)
    })

    it('is empty where no key has the prefix', async () => {
      const { store } = subject()
      expect(await store.list({ prefix: `${freshKey()}/`, limit: 10 })).toEqual({
        objects: [],
        next: null,
      })
    })

    it('takes a prefix that ends within a name, and keeps to it', async () => {
      const { store } = subject()
      const folder = await fill(store, ['a', 'ab', 'abc', 'b', 'B'])
      const { objects } = await store.list({ prefix: `${folder}ab`, limit: 10 })
      expect(namesIn(folder, objects)).toEqual(['ab', 'abc'])
    })

    it('shows a put and a delete at once', async () => {
      const { store } = subject()
      const folder = await fill(store, ['a', 'b'])
      await store.delete(`${folder}a`)
      await store.put(`${folder}c`, bytesOf(1), { size: 1, contentType })
      expect(await list(store, folder)).toEqual(['b', 'c'])
    })
  })
}

function listPages(subject: Subject): void {
  describe('list page by page', () => {
    const names = Array.from({ length: 1050 }, (_, index) => `${index}`.padStart(4, '0'))
    let folder = ''
    beforeAll(async () => {
      folder = await fill(subject().store, names)
    }, fillMillisecondsMax)
    const page = async (limit: number, startAfter?: string) => {
      const after = startAfter === undefined ? {} : { startAfter: folder + startAfter }
      const { objects, next } = await subject().store.list({ prefix: folder, limit, ...after })
      return { names: namesIn(folder, objects), continues: next !== null }
    }

    it('gives the first 1,000 and says that more follow', async () => {
      expect(await page(1000)).toEqual({ names: names.slice(0, 1000), continues: true })
    })

    it('gives the rest after the last key of a page and says that it is all', async () => {
      expect(await page(1000, '0999')).toEqual({ names: names.slice(1000), continues: false })
    })

    it('gives as many as the limit says', async () => {
      expect(await page(1)).toEqual({ names: ['0000'], continues: true })
      expect(await page(7, '0100')).toEqual({ names: names.slice(101, 108), continues: true })
    })

    it('does not continue when the limit is met exactly', async () => {
      expect(await page(50, '0999')).toEqual({ names: names.slice(1000), continues: false })
      expect(await page(49, '0999')).toEqual({ names: names.slice(1000, 1049), continues: true })
      expect(await page(1, '1048')).toEqual({ names: ['1049'], continues: false })
    })

    it('starts strictly after a key that need not exist', async () => {
      expect((await page(2, '0100')).names).toEqual(['0101', '0102'])
      expect((await page(2, '0100x')).names).toEqual(['0101', '0102'])
      expect((await page(2, '00')).names).toEqual(['0000', '0001'])
    })

    it('is empty after the last key', async () => {
      expect(await page(10, '1049')).toEqual({ names: [], continues: false })
      expect(await page(10, 'zzz')).toEqual({ names: [], continues: false })
    })

    it('begins at the prefix when it should start before it, and is empty when after it', async () => {
      const { store } = subject()
      const before = await store.list({ prefix: `${folder}05`, startAfter: `${folder}01`, limit: 1 })
      expect(namesIn(folder, before.objects)).toEqual(['0500'])
      const after = await store.list({ prefix: `${folder}05`, startAfter: `${folder}06`, limit: 1 })
      expect(after).toEqual({ objects: [], next: null })
    })

    it('visits every key exactly once in pages of 100, by key and by token', async () => {
      expect(await visitByKey(subject().store, folder, 100)).toEqual(names)
      expect(await visitByToken(subject().store, folder, 100)).toEqual(names)
    })

    it('continues by token with pages of another size', async () => {
      const { store } = subject()
      const first = await store.list({ prefix: folder, limit: 7 })
      const second = await store.list({ prefix: folder, limit: 3, token: first.next ?? '' })
      expect(namesIn(folder, second.objects)).toEqual(['0007', '0008', '0009'])
    })
  })
}

/** Ascending by UTF-8 bytes; in UTF-16, the order of strings here, the last two would change places. */
const oddNames = [
  'A',
  'a b',
  "a!$'()*",
  'a"quoted"',
  'a#fragment',
  'a%2Fb',
  'a%zz',
  'a&amp;<b>',
  'a+b',
  'a,b;c:d=e@f',
  'a-b',
  'a.b',
  'a0',
  'a?query=1',
  'a[1]{2}|^`~',
  'a_b',
  'é',
  '日本語',
  '～',
  '😀',
]

function listedOrder(subject: Subject): void {
  describe('list of odd keys', () => {
    it('is ascending by UTF-8 bytes', async () => {
      const { store } = subject()
      const folder = await fill(store, oddNames.toReversed())
      expect(await list(store, folder)).toEqual(oddNames)
    })

    it('continues after an odd key as after any other', async () => {
      const { store } = subject()
      const folder = await fill(store, oddNames)
      expect(await visitByKey(store, folder, 1)).toEqual(oddNames)
      expect(await visitByToken(store, folder, 1)).toEqual(oddNames)
    })

    it('gives keys under which get, head and delete find the object', async () => {
      const { store } = subject()
      const folder = await fill(store, oddNames)
      for (const { key } of (await store.list({ prefix: folder, limit: 1000 })).objects) {
        expect(await bytesIn(await store.get(key))).toEqual(bytesOf(1))
        expect((await store.head(key))?.key).toBe(key)
        await store.delete(key)
      }
      expect(await list(store, folder)).toEqual([])
    })

    it('orders folders by their keys, or before the names that begin like them', async () => {
      const { store, ordersByBytes } = subject()
      const folder = await fill(store, ['a-b', 'a.b', 'a/b-c', 'a/b/c', 'a0'])
      const ordered = ordersByBytes
        ? ['a-b', 'a.b', 'a/b-c', 'a/b/c', 'a0']
        : ['a/b/c', 'a/b-c', 'a-b', 'a.b', 'a0']
      expect(await list(store, folder)).toEqual(ordered)
      expect(await visitByKey(store, folder, 1)).toEqual(ordered)
    })

    it('lists a key and one below it, or only the first where folders are files to the store', async () => {
      const { store, listsBelowKeys } = subject()
      const folder = await fill(store, ['a'])
      await store.put(`${folder}a/b`, bytesOf(1), { size: 1, contentType })
      expect(await list(store, folder)).toEqual(listsBelowKeys ? ['a', 'a/b'] : ['a'])
      expect((await seenUnder(store, `${folder}a/b`))?.bytes).toEqual(bytesOf(1))
    })

    it('keeps keys apart that differ only in encoding or letter case', async () => {
      const { store } = subject()
      const folder = `${freshKey()}/`
      await store.put(`${folder}a b`, bytesOf(1), { size: 1, contentType })
      await store.put(`${folder}a+b`, bytesOf(2), { size: 2, contentType })
      await store.put(`${folder}a%20b`, bytesOf(3), { size: 3, contentType })
      await store.put(`${folder}A b`, bytesOf(4), { size: 4, contentType })
      expect((await seenUnder(store, `${folder}a b`))?.size).toBe(1)
      expect((await seenUnder(store, `${folder}a+b`))?.size).toBe(2)
      expect((await seenUnder(store, `${folder}a%20b`))?.size).toBe(3)
      expect((await seenUnder(store, `${folder}A b`))?.size).toBe(4)
    })

    it('takes keys of 1,000 bytes', async () => {
      const { store } = subject()
      const start = freshKey()
      const key = `${start}/${`${'x'.repeat(120)}/`.repeat(8)}`.slice(0, 999).replace(/\/$/, 'x')
      await store.put(key, bytesOf(5), { size: 5, contentType })
      expect((await seenUnder(store, key))?.size).toBe(5)
      expect((await store.list({ prefix: start, limit: 1 })).objects[0]?.key).toBe(key)
    })
  })
}

/** All folders below one, each page continuing by the token of the page before. */
async function visitPrefixes(store: ObjectStore, folder: string, limit: number): Promise<string[]> {
  const visited: string[] = []
  for (let token: string | null | undefined; token !== null; ) {
    const page: PrefixPage = await store.listPrefixes({ prefix: folder, limit, token })
    if (page.next !== null) expect(page.prefixes.length).toBeGreaterThan(0)
    visited.push(...page.prefixes.map((prefix) => prefix.slice(folder.length)))
    token = page.next
  }
  return visited
}

function listedPrefixes(subject: Subject): void {
  describe('listPrefixes', () => {
    const inFolder = (name: string) => Array.from({ length: 3 }, (_, at) => `${name}/${at}`)

    it('gives each folder once, however many keys it has, and no keys', async () => {
      const { store } = subject()
      const folder = await fill(store, ['a', ...inFolder('b'), 'b/deep/er', ...inFolder('c'), 'd'])
      expect(await store.listPrefixes({ prefix: folder, limit: 1000 })).toEqual({
        prefixes: [`${folder}b/`, `${folder}c/`],
        next: null,
      })
      expect(await visitPrefixes(store, `${folder}b/`, 10)).toEqual(['deep/'])
    })

    it('is empty where no key has the prefix, and where no key below it has a folder', async () => {
      const { store } = subject()
      const folder = await fill(store, ['a', 'b'])
      expect(await store.listPrefixes({ prefix: folder, limit: 10 })).toEqual({ prefixes: [], next: null })
      expect(await store.listPrefixes({ prefix: `${folder}none/`, limit: 10 })).toEqual({
        prefixes: [],
        next: null,
      })
    })

    it('visits every folder exactly once in pages of any size, also where names begin alike', async () => {
      const { store } = subject()
      const names = [
        'a',
        'a-b',
        'a.b',
        'a0',
        'a_b',
        'b',
        'b-a',
        ...Array.from({ length: 20 }, (_, at) => `n${at}`),
      ]
      const folder = await fill(store, [...names.flatMap(inFolder), 'm', 'z'])
      const expected = names.map((name) => `${name}/`).sort()
      for (const limit of [1, 2, 7, 1000]) {
        expect((await visitPrefixes(store, folder, limit)).sort()).toEqual(expected)
      }
    })

    it('continues behind many keys that have no folder', async () => {
      const { store } = subject()
      const keys = Array.from({ length: 40 }, (_, at) => `k${at}`)
      const folder = await fill(store, ['a/1', ...keys, 'z/1'])
      expect((await visitPrefixes(store, folder, 2)).sort()).toEqual(['a/', 'z/'])
    })

    it('takes a prefix that ends within a name', async () => {
      const { store } = subject()
      const folder = await fill(store, ['ab/1', 'abc/1', 'b/1'])
      const { prefixes } = await store.listPrefixes({ prefix: `${folder}ab`, limit: 10 })
      expect(prefixes.toSorted()).toEqual([`${folder}ab/`, `${folder}abc/`])
    })

    it('gives names as they were written', async () => {
      const { store } = subject()
      const names = ['a b', 'a"quoted"', "a!$'()*", 'a%2Fb', 'a&amp;<b>', 'a+b', 'é', '日本語', '😀']
      const folder = await fill(
        store,
        names.map((name) => `${name}/1`),
      )
      expect((await visitPrefixes(store, folder, 1)).sort()).toEqual(names.map((name) => `${name}/`).sort())
    })
  })
}
