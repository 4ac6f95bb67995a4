import { describe, expect, it } from 'bun:test'
import { type ObjectStore, ObjectStoreError } from '../../../../service/object-store/object-store.ts'
import { prefixed } from '../../../../service/object-store/prefixed-object-store.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const contentType = 'text/plain'
const one = { size: 1, contentType }
const byte = Uint8Array.of(1)

async function keysOf(store: ObjectStore): Promise<string[]> {
  return (await store.list({ prefix: '', limit: 1000 })).objects.map(({ key }) => key)
}

describe('prefixed', () => {
  it('puts every key under the prefix', async () => {
    const bucket = createMemoryObjectStore()
    const docs = prefixed(bucket, 'docs/')
    await docs.put('a/b', byte, one)
    const upload = await docs.startMultipart('parts', { contentType })
    await upload.uploadPart(byte)
    await upload.complete()
    expect(await keysOf(bucket)).toEqual(['docs/a/b', 'docs/parts'])
  })

  it('shows keys without the prefix', async () => {
    const bucket = createMemoryObjectStore()
    const docs = prefixed(bucket, 'docs/')
    await docs.put('a/b', byte, one)
    await docs.startMultipart('parts', { contentType })
    expect((await docs.get('a/b'))?.key).toBe('a/b')
    expect((await docs.head('a/b'))?.key).toBe('a/b')
    expect(await keysOf(docs)).toEqual(['a/b'])
    expect((await docs.listUnfinished('')).map(({ key }) => key)).toEqual(['parts'])
  })

  it('neither shows nor touches objects outside the prefix', async () => {
    const bucket = createMemoryObjectStore()
    for (const key of ['doc', 'docs', 'docs.old/a', 'docs-2/a', 'a', 'loki/a', 'zzz']) {
      await bucket.put(key, byte, one)
    }
    await bucket.startMultipart('docs-2/parts', { contentType })
    const docs = prefixed(bucket, 'docs/')
    await docs.put('a', byte, one)
    expect(await keysOf(docs)).toEqual(['a'])
    expect(await docs.listUnfinished('')).toEqual([])
    expect(await docs.get('loki/a')).toBeNull()
    await docs.delete('loki/a')
    await docs.delete('a')
    expect(await keysOf(bucket)).toEqual(['a', 'doc', 'docs', 'docs-2/a', 'docs.old/a', 'loki/a', 'zzz'])
  })

  it('pages within the prefix', async () => {
    const bucket = createMemoryObjectStore()
    const docs = prefixed(bucket, 'docs/')
    for (const key of ['a', 'b', 'c']) await docs.put(key, byte, one)
    await bucket.put('e/after', byte, one)
    const page = await docs.list({ prefix: '', startAfter: 'a', limit: 2 })
    expect(page.objects.map(({ key }) => key)).toEqual(['b', 'c'])
    expect(page.next).toBe(null)
  })

  it('aborts only uploads under the prefix', async () => {
    const bucket = createMemoryObjectStore()
    const docs = prefixed(bucket, 'docs/')
    await bucket.startMultipart('parts', { contentType })
    await docs.startMultipart('parts', { contentType })
    const [outside, inside] = (await bucket.listUnfinished('')).toSorted((a, b) => (a.key < b.key ? 1 : -1))
    await docs.abortUnfinished('parts', outside?.uploadId ?? '')
    await docs.abortUnfinished('parts', inside?.uploadId ?? '')
    expect((await bucket.listUnfinished('')).map(({ key }) => key)).toEqual(['parts'])
  })

  it('can be put inside another prefix', async () => {
    const bucket = createMemoryObjectStore()
    const inner = prefixed(prefixed(bucket, 'docs/'), 'v1/')
    await inner.put('a', byte, one)
    expect(await keysOf(bucket)).toEqual(['docs/v1/a'])
    expect(await keysOf(inner)).toEqual(['a'])
  })
})

describe('prefixed with a key that could lead out of the prefix', () => {
  const escapes = ['', '/', '/a', '.', '..', '../a', 'a/..', 'a/../../b', './a', 'a/./b', 'a\uD800']
  const calls = (docs: ObjectStore, key: string): Promise<unknown>[] => [
    docs.put(key, byte, one),
    docs.get(key),
    docs.head(key),
    docs.delete(key),
    docs.startMultipart(key, { contentType }),
    docs.abortUnfinished(key, 'id'),
  ]

  it('refuses it in every method, and does nothing', async () => {
    const bucket = createMemoryObjectStore()
    const docs = prefixed(bucket, 'docs/')
    const settled = await Promise.allSettled(escapes.flatMap((key) => calls(docs, key)))
    const accepted = settled.filter(
      (each) => !(each.status === 'rejected' && each.reason instanceof ObjectStoreError),
    )
    expect(accepted).toEqual([])
    expect(settled).toHaveLength(escapes.length * 6)
    expect(await keysOf(bucket)).toEqual([])
    expect(await bucket.listUnfinished('')).toEqual([])
  })

  it('says which method refused, as a rejection', async () => {
    const docs = prefixed(createMemoryObjectStore(), 'docs/')
    await expect(docs.head('../a')).rejects.toMatchObject({
      code: 'rejected',
      operation: 'head',
      reason: 'InvalidKey',
    })
  })

  it('takes names that only look like such a key', async () => {
    const docs = prefixed(createMemoryObjectStore(), 'docs/')
    for (const key of ['...', '.a', 'a..', '..a/b', 'a/...', 'a%2F..%2F', '\\..\\a']) {
      await docs.put(key, byte, one)
    }
    expect(await keysOf(docs)).toHaveLength(7)
  })

  it('refuses what a store gives from outside the prefix', async () => {
    const bucket = createMemoryObjectStore()
    await bucket.put('loki/a', byte, one)
    const confused: ObjectStore = {
      ...bucket,
      list: () => bucket.list({ prefix: '', limit: 10 }),
    }
    const docs = prefixed(confused, 'docs/')
    await expect(docs.list({ prefix: '', limit: 10 })).rejects.toMatchObject({ reason: 'ForeignKey' })
  })
})

describe('the prefix of prefixed', () => {
  it('may be a folder', () => {
    const bucket = createMemoryObjectStore()
    expect(() => prefixed(bucket, 'docs/')).not.toThrow()
    expect(() => prefixed(bucket, 'a/b.c/d-e_f/')).not.toThrow()
  })

  it('is refused in any other form', () => {
    const bucket = createMemoryObjectStore()
    expect(() => prefixed(bucket, '')).toThrow(TypeError)
    expect(() => prefixed(bucket, '/')).toThrow(TypeError)
    expect(() => prefixed(bucket, 'docs')).toThrow(TypeError)
    expect(() => prefixed(bucket, '/docs/')).toThrow(TypeError)
    expect(() => prefixed(bucket, 'docs//')).toThrow(TypeError)
    expect(() => prefixed(bucket, '../')).toThrow(TypeError)
    expect(() => prefixed(bucket, 'docs/../')).toThrow(TypeError)
  })
})
