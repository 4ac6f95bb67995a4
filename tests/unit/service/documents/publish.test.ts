import { describe, expect, it } from 'bun:test'
import { type ObjectStore, ObjectStoreError } from '../../../../service/object-store/object-store.ts'
import {
  digestOf,
  documentsInMemory,
  KiB,
  keyOf,
  keysIn,
  latestKey,
  MiB,
  ref,
  uploadOf,
  versionOf,
} from '../../../support/service/documents-under-test.ts'
import { until } from '../../../support/waiting.ts'

const bytes = new Uint8Array(3 * MiB).map((_, at) => at % 251)
const declared = { size: bytes.length, digest: digestOf(bytes) }

/** A body of which `given` has arrived, and then nothing more, or a failure. */
function stalling(given: Uint8Array, error?: Error): ReadableStream<Uint8Array> {
  let sent = false
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!sent) controller.enqueue(given)
        else if (error) controller.error(error)
        else await new Promise(() => {})
        sent = true
      },
    },
    { highWaterMark: 0 },
  )
}

describe('putting a document', () => {
  it('stores it under its digest, moves latest, and tells what it stored', async () => {
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
    expect(await keysIn(store)).toEqual([keyOf(bytes), latestKey])
  })

  it('keeps what the first writer said of it', async () => {
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

  it('reads a declared body to its end also where the store does not need it, and refuses what is wrong in it', async () => {
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

describe('putting a document of which not all arrives', () => {
  it('fails when the sender errs, and leaves nothing', async () => {
    const { documents, store } = documentsInMemory()
    const body = () => stalling(bytes.subarray(0, MiB), new Error('gone'))
    const incomplete = { code: 'body_incomplete' }
    await expect(documents.put(ref, uploadOf(bytes, { body: body() }))).rejects.toMatchObject(incomplete)
    await expect(documents.put(ref, uploadOf(bytes, { ...declared, body: body() }))).rejects.toMatchObject(
      incomplete,
    )
    expect(await keysIn(store)).toEqual([])
  })

  it('fails when it is shorter than declared', async () => {
    const { documents, store } = documentsInMemory()
    const short = uploadOf(bytes.subarray(0, -1), declared)
    await expect(documents.put(ref, short)).rejects.toMatchObject({ code: 'body_incomplete' })
    const small = uploadOf(bytes.subarray(0, KiB), { size: KiB + 1 })
    await expect(documents.put(ref, small)).rejects.toMatchObject({ code: 'body_incomplete' })
    expect(await keysIn(store)).toEqual([])
  })

  it('fails once nothing has come for too long, whichever way it is published', async () => {
    const { documents, store } = documentsInMemory({ uploadIdleSecondsMax: 0.1 })
    const idle = { code: 'body_incomplete', message: expect.stringContaining('0.1 seconds') }
    const body = () => stalling(bytes.subarray(0, MiB))
    await expect(documents.put(ref, uploadOf(bytes, { body: body() }))).rejects.toMatchObject(idle)
    await expect(documents.put(ref, uploadOf(bytes, { ...declared, body: body() }))).rejects.toMatchObject(
      idle,
    )
    const large = stalling(new Uint8Array(9 * MiB))
    await expect(documents.put(ref, uploadOf(bytes, { body: large }))).rejects.toMatchObject(idle)
    expect(await keysIn(store)).toEqual([])
    expect(await store.listUnfinished('')).toEqual([])
  })

  it('fails when its request is aborted, and leaves no parts', async () => {
    const { documents, store } = documentsInMemory()
    const abort = new AbortController()
    // As a server does: the request's signal and its body fail together.
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(9 * MiB))
        abort.signal.addEventListener('abort', () => controller.error(abort.signal.reason))
      },
    })
    const putting = documents.put(ref, uploadOf(bytes, { body, signal: abort.signal }))
    putting.catch(() => {})
    await until(async () => (await store.listUnfinished('')).length > 0)
    abort.abort(new Error('left'))
    await expect(putting).rejects.toThrow()
    expect(await store.listUnfinished('')).toEqual([])
    expect(await keysIn(store)).toEqual([])
  })
})

describe('putting a document that is staged', () => {
  it('leaves nothing where only the answer to the last call about its parts is lost', async () => {
    const lossy = (store: ObjectStore): ObjectStore => ({
      ...store,
      async startMultipart(key, options) {
        const parts = await store.startMultipart(key, options)
        return {
          ...parts,
          async complete(callOptions) {
            await parts.complete(callOptions)
            throw new ObjectStoreError('unavailable', 'complete', 'ECONNRESET')
          },
        }
      },
    })
    const { documents, store } = documentsInMemory({ decorate: lossy })
    const upload = uploadOf(new Uint8Array(9 * MiB))
    await expect(documents.put(ref, upload)).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await keysIn(store)).toEqual([])
  })
})

describe('putting a document that is too large', () => {
  it('is refused before a byte is read where its size is declared', async () => {
    const { documents } = documentsInMemory({ documentBytesMax: MiB })
    let read = false
    const body = new ReadableStream<Uint8Array>(
      {
        pull() {
          read = true
        },
      },
      { highWaterMark: 0 },
    )
    const upload = uploadOf(bytes, { body, size: MiB + 1 })
    await expect(documents.put(ref, upload)).rejects.toMatchObject({
      code: 'document_too_large',
      details: { bytesMax: MiB },
    })
    expect(read).toBe(false)
  })

  it('is refused at the first byte too many where it is not', async () => {
    const { documents, store } = documentsInMemory({ documentBytesMax: MiB })
    const exact = bytes.subarray(0, MiB)
    expect((await documents.put(ref, uploadOf(exact))).created).toBe(true)
    const over = documents.put(ref, uploadOf(bytes.subarray(0, MiB + 1)))
    await expect(over).rejects.toMatchObject({ code: 'document_too_large' })
    expect(await keysIn(store)).toEqual([keyOf(exact), latestKey])
  })
})

describe('reading a document', () => {
  const read = async (body: Uint8Array | ReadableStream<Uint8Array>) =>
    new Uint8Array(await new Response(body as BodyInit).arrayBuffer())

  it('gives a small one at once, and a large one as a stream', async () => {
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

  it('fails for bytes that are not those of the digest, and tells of it once', async () => {
    const { documents, store, violations } = documentsInMemory()
    await documents.put(ref, uploadOf(bytes))
    const other = bytes.slice().fill(0, 100, 200)
    await store.put(keyOf(bytes), other, { size: other.length, contentType: 'application/x-test' })
    const opened = await documents.open(versionOf(bytes))
    await expect(read(opened.body)).rejects.toThrow()
    expect(violations).toEqual([
      { ref: versionOf(bytes), found: { digest: digestOf(other), size: other.length } },
    ])
  })

  it('tells the size in the refusal of a range outside', async () => {
    const { documents } = documentsInMemory()
    await documents.put(ref, uploadOf(bytes))
    await expect(documents.open(versionOf(bytes), { range: { first: bytes.length } })).rejects.toMatchObject({
      code: 'range_unsatisfiable',
      details: { size: bytes.length },
    })
    const { range } = await documents.open(versionOf(bytes), { range: { suffix: 10 } })
    expect(range).toEqual({ first: bytes.length - 10, last: bytes.length - 1 })
  })
})
