import { describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../../../service/object-store/object-store.ts'
import {
  documentsInMemory,
  KiB,
  keyOf,
  keysIn,
  MiB,
  recordKey,
  ref,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { digestOf } from '../../../support/service/sample-documents.ts'
import { counted } from '../../../support/stores/counted-object-store.ts'

const bytes = new Uint8Array(3 * MiB).map((_, at) => at % 251)
const declared = { size: bytes.length, digest: digestOf(bytes) }

describe('putting a document', () => {
  it('stores the bytes under their digest, moves latest, and returns what it stored', async () => {
    const { documents, store } = documentsInMemory()
    const admittedAt = new Date('2026-11-23T10:00:00.000Z')
    const { document, created } = await documents.put(ref, uploadOf(bytes, { admittedAt }))
    expect(created).toBe(true)
    expect(document).toEqual({
      ...ref,
      digest: digestOf(bytes),
      size: bytes.length,
      contentType: 'application/x-test',
      createdAt: '2026-11-23T10:00:00.000Z',
      createdBy: 'alice',
      tags: ['latest'],
    })
    expect(await keysIn(store)).toEqual([keyOf(bytes), recordKey])
  })

  it('keeps the metadata of the first writer', async () => {
    const { documents } = documentsInMemory()
    await documents.put(ref, uploadOf(bytes, { by: 'zoë', admittedAt: new Date(1000) }))
    const again = uploadOf(bytes, { by: 'bob', contentType: 'text/plain', admittedAt: new Date(2000) })
    const { document, created } = await documents.put(ref, again)
    expect(created).toBe(false)
    expect(document).toMatchObject({
      contentType: 'application/x-test',
      createdBy: 'zoë',
      createdAt: '1970-01-01T00:00:01.000Z',
    })
  })

  it('reads a declared body to its end even if the store has the version, and refuses wrong bytes', async () => {
    /** Answers that the version exists after the first chunk, while the next one is being read. */
    const impatient = (store: ObjectStore): ObjectStore => ({
      ...store,
      async put(key, body, options) {
        if (!(body instanceof ReadableStream)) return store.put(key, body, options)
        const reader = body.getReader()
        await reader.read()
        void reader.read().catch(() => {})
        return null
      },
    })
    const { documents, store } = documentsInMemory({ decorate: impatient })
    await store.put(keyOf(bytes), bytes, { size: bytes.length, contentType: 'application/x-test' })
    expect((await documents.put(ref, uploadOf(bytes, declared))).created).toBe(false)
    const whole = new Response(bytes).body ?? new ReadableStream()
    expect((await documents.put(ref, uploadOf(bytes, { ...declared, body: whole }))).created).toBe(false)
    const other = bytes.slice()
    other[other.length - 1] = 255
    await expect(documents.put(ref, uploadOf(other, declared))).rejects.toMatchObject({
      code: 'digest_mismatch',
    })
  })
})

describe('putting a document whose sender sends nothing', () => {
  it('is refused as incomplete, whatever was declared, and the store is never asked', async () => {
    const calls: string[] = []
    const { documents } = documentsInMemory({
      decorate: (store) => counted(store, calls),
      uploadPace: { idleSecondsMax: 0.02 },
    })
    for (const promised of [{}, { size: bytes.length }, declared, { size: 9 * MiB }]) {
      const silent = new ReadableStream<Uint8Array>()
      await expect(documents.put(ref, uploadOf(bytes, { ...promised, body: silent }))).rejects.toMatchObject({
        code: 'body_incomplete',
        message: expect.stringContaining('0.02 seconds'),
      })
    }
    expect(calls).toEqual([])
  })
})

describe('putting a large document without a digest', () => {
  it('is refused, naming Repr-Digest, and leaves nothing, if publishing the staged bytes takes too long', async () => {
    /** Never sends the first byte of what is staged. */
    const slow = (store: ObjectStore): ObjectStore => ({
      ...store,
      get: (_key, { signal } = {}) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        }),
    })
    const { documents, store } = documentsInMemory({ decorate: slow, uploadPace: { answerSecondsMax: 0.05 } })
    const large = new Uint8Array(9 * MiB)
    await expect(documents.put(ref, uploadOf(large))).rejects.toMatchObject({
      code: 'digest_required',
      message: expect.stringContaining('Repr-Digest and Content-Length'),
    })
    expect(await keysIn(store)).toEqual([])
  })
})

describe('reading a document', () => {
  const read = async (body: Uint8Array | ReadableStream<Uint8Array>) =>
    new Uint8Array(await new Response(body as BodyInit).arrayBuffer())

  it('returns small bytes as a whole, and large ones as a stream', async () => {
    const { documents } = documentsInMemory()
    const small = bytes.subarray(0, 256 * KiB)
    await documents.put(ref, uploadOf(small))
    await documents.put(ref, uploadOf(bytes))
    const whole = await documents.open(versionOf(small))
    expect(whole.body).toBeInstanceOf(Uint8Array)
    expect(await read(whole.body)).toEqual(small)
    const streamed = await documents.open(versionOf(bytes))
    expect(streamed.body).toBeInstanceOf(ReadableStream)
    expect(await read(streamed.body)).toEqual(bytes)
  })
})
