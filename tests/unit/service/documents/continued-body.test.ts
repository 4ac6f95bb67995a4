import { describe, expect, it } from 'bun:test'
import { continuedBody } from '../../../../service/documents/continued-body.ts'
import { limits } from '../../../../service/limits.ts'
import {
  type GetOptions,
  type ObjectBody,
  type ObjectStore,
  ObjectStoreError,
} from '../../../../service/object-store/object-store.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const bytes = Uint8Array.from({ length: 100 }, (_, index) => index)
const key = 'tenants/acme/documents/reports/annual/0'
const lost = new ObjectStoreError('unavailable', 'get', 'ECONNRESET')

/** A store whose bodies break off after `brokenAfter` bytes each, and what was asked of it. */
async function breaking(brokenAfter: readonly number[], failure: Error = lost) {
  const memory = createMemoryObjectStore()
  await memory.put(key, bytes, { size: bytes.length, contentType: 'text/plain' })
  const asked: GetOptions[] = []
  const get: ObjectStore['get'] = async (name, options = {}) => {
    const after = brokenAfter[asked.length]
    asked.push(options)
    const object = await memory.get(name, options)
    return object && after !== undefined ? { ...object, body: cut(object, after, failure) } : object
  }
  const opened = async (options?: GetOptions) => {
    const object = await get(key, options)
    if (!object) throw new Error('absent')
    return continuedBody({ get }, object, undefined)
  }
  return { memory, asked, opened }
}

function cut({ body }: ObjectBody, after: number, failure: Error): ReadableStream<Uint8Array> {
  const whole = new Response(body).bytes()
  let sent = false
  return new ReadableStream({
    async pull(controller) {
      if (sent || after === 0) return controller.error(failure)
      sent = true
      controller.enqueue((await whole).subarray(0, after))
    },
  })
}

async function readAll(reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> }) {
  const chunks: number[] = []
  for (let next = await reader.read(); !next.done; next = await reader.read())
    chunks.push(...(next.value ?? []))
  return Uint8Array.from(chunks)
}

describe('the body of a download', () => {
  it('continues with the next byte, pinned by the ETag, however often it breaks off', async () => {
    const { memory, asked, opened } = await breaking([10, 20, 30])
    expect(await readAll(await opened())).toEqual(bytes)
    const ifMatch = (await memory.head(key))?.etag
    expect(asked.slice(1)).toEqual([
      { range: { first: 10, last: 99 }, ifMatch },
      { range: { first: 30, last: 99 }, ifMatch },
      { range: { first: 60, last: 99 }, ifMatch },
    ])
  })

  it('continues within the range that was asked for', async () => {
    const { asked, opened } = await breaking([5])
    expect(await readAll(await opened({ range: { first: 50, last: 69 } }))).toEqual(bytes.subarray(50, 70))
    expect(asked[1]).toMatchObject({ range: { first: 55, last: 69 } })
  })

  it('continues after its connection was taken away for others', async () => {
    const { opened } = await breaking([1], new ObjectStoreError('busy', 'get', 'GivenUp'))
    expect(await readAll(await opened())).toEqual(bytes)
  })

  it('fails after as many reads without a byte as the limit says', async () => {
    const { asked, opened } = await breaking([10, 0, 0, 0, 0, 0, 0])
    await expect(readAll(await opened())).rejects.toBe(lost)
    expect(asked).toHaveLength(1 + limits.fruitlessReadsMax - 1)
  })

  it('fails with the reason of the break if the object is gone', async () => {
    const { memory, opened } = await breaking([10])
    const body = await opened()
    await memory.delete(key)
    await expect(readAll(body)).rejects.toBe(lost)
  })

  it('fails if the object was replaced by another one', async () => {
    const { memory, opened } = await breaking([10])
    const body = await opened()
    await memory.put(key, new Uint8Array(100), { size: 100, contentType: 'text/plain' })
    await expect(readAll(body)).rejects.toMatchObject({ code: 'precondition_failed' })
  })

  it('does not continue where that cannot help', async () => {
    const denied = new ObjectStoreError('denied', 'get', 'AccessDenied')
    const { asked, opened } = await breaking([10], denied)
    await expect(readAll(await opened())).rejects.toBe(denied)
    expect(asked).toHaveLength(1)
  })
})
