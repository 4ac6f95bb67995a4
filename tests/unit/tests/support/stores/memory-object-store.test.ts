import { describe, expect, it } from 'bun:test'
import { createMemoryObjectStore } from '../../../../support/stores/memory-object-store.ts'

const contentType = 'text/plain'
const text = (value: string) => new TextEncoder().encode(value)

describe('memory object store', () => {
  it('gives the MD5 of the bytes as ETag, as S3 does', async () => {
    const store = createMemoryObjectStore()
    // RFC 1321 section A.5.
    const put = await store.put('a', text('abc'), { size: 3, contentType })
    expect(put?.etag).toBe('900150983cd24fb0d6963f7d28e17f72')
  })

  it('gives the MD5 of the parts and their number as ETag of an upload in parts', async () => {
    const store = createMemoryObjectStore()
    const upload = await store.startMultipart('a', { contentType })
    await upload.uploadPart(text('abc'))
    // MD5 of the 16 bytes 900150983cd24fb0d6963f7d28e17f72: printf abc | openssl md5 -binary | openssl md5
    expect((await upload.complete()).etag).toBe('af5da9f45af7a300e3aded972f8ff687-1')
  })

  it('keeps the time that it is given, in whole seconds', async () => {
    let now = new Date('2026-11-23T22:00:00.900Z')
    const store = createMemoryObjectStore({ now: () => now })
    await store.put('a', text('abc'), { size: 3, contentType })
    const upload = await store.startMultipart('b', { contentType })
    expect((await store.head('a'))?.lastModified).toEqual(new Date('2026-11-23T22:00:00Z'))
    expect((await store.listUnfinished('b'))[0]?.startedAt).toEqual(new Date('2026-11-23T22:00:00Z'))
    now = new Date('2026-11-24T22:00:00Z')
    expect(await store.clock()).toEqual(now)
    await upload.uploadPart(text('abc'))
    await upload.complete()
    expect((await store.head('b'))?.lastModified).toEqual(now)
    expect((await store.head('a'))?.lastModified).toEqual(new Date('2026-11-23T22:00:00Z'))
  })

  it('is not changed by what callers do to the bytes they gave or got', async () => {
    const store = createMemoryObjectStore()
    const given = text('abc')
    await store.put('a', given, { size: 3, contentType })
    given.fill(0)
    const found = await store.get('a')
    for await (const chunk of found?.body ?? []) chunk.fill(0)
    expect(await new Response((await store.get('a'))?.body).text()).toBe('abc')
  })

  it('refuses keys that the port does not know', async () => {
    const store = createMemoryObjectStore()
    const put = { size: 3, contentType }
    await expect(store.put('', text('abc'), put)).rejects.toMatchObject({ code: 'rejected' })
    await expect(store.put('/a', text('abc'), put)).rejects.toMatchObject({ code: 'rejected' })
    await expect(store.put('a\uD800', text('abc'), put)).rejects.toMatchObject({ code: 'rejected' })
    expect(await store.put('a/', text('abc'), put)).not.toBeNull()
  })
})
