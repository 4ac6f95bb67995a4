import { describe, expect, it } from 'bun:test'
import { digestOfHex } from '../../../../service/documents/document-key.ts'
import { verified } from '../../../../service/documents/verified-stream.ts'

const bytes = new TextEncoder().encode('a document that comes in two chunks')
const expected = {
  digest: digestOfHex(new Bun.CryptoHasher('sha256').update(bytes).digest('hex')),
  size: bytes.byteLength,
}

/** Yields `chunks` and ends; with `onWait` it calls that instead and never ends. */
function source(chunks: Uint8Array[], onWait?: () => void): ReadableStream<Uint8Array> {
  const left = chunks.values()
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = left.next()
        if (!done) return controller.enqueue(value)
        if (!onWait) return controller.close()
        onWait()
        return new Promise(() => {})
      },
    },
    { highWaterMark: 0 },
  )
}

describe('verified', () => {
  it('passes on all bytes if they hash to the digest', async () => {
    const body = source([bytes.subarray(0, 10), bytes.subarray(10)])
    const stream = verified(body, expected, () => new Error('mismatch'))
    expect(await new Response(stream).bytes()).toEqual(bytes)
  })

  it('keeps the last chunk of bytes that end too soon, and reports what was found', async () => {
    const found: unknown[] = []
    const stream = verified(source([bytes.subarray(0, 10)]), expected, (other) => {
      found.push(other.size)
      return new Error('mismatch')
    })
    const reader = stream.getReader()
    await expect(reader.read()).rejects.toThrow('mismatch')
    await reader.closed.catch(() => {})
    expect(found).toEqual([10])
  })

  it('reports no damage when the reader cancels while it waits for the store', async () => {
    const found: unknown[] = []
    const failures: unknown[] = []
    const awaited = Promise.withResolvers<void>()
    const stream = verified(
      source([bytes.subarray(0, 10), bytes.subarray(10, 20)], awaited.resolve),
      expected,
      (other) => {
        found.push(other)
        return new Error('mismatch')
      },
      (reason) => failures.push(reason),
    )
    const reader = stream.getReader()
    expect((await reader.read()).value).toEqual(bytes.subarray(0, 10))
    const pending = reader.read()
    await awaited.promise
    await reader.cancel('the client has gone')
    expect((await pending).done).toBe(true)
    await Bun.sleep(0)
    expect(found).toEqual([])
    expect(failures).toEqual([])
  })
})
