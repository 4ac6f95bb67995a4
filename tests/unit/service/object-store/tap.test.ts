import { describe, expect, it } from 'bun:test'
import { tap } from '../../../../service/object-store/tap.ts'
import { failingStream, failureOf, stallingStream, streamOf } from '../../../support/stores/bodies.ts'

const chunks = [Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of(4)]

describe('tap', () => {
  it('passes the chunks on as they are and shows each of them to the observer', async () => {
    const seen: Uint8Array[] = []
    const passed = tap(streamOf(...chunks), { onChunk: (chunk) => void seen.push(chunk) })
    expect(await Array.fromAsync(passed)).toEqual(chunks)
    expect(seen).toEqual(chunks)
  })

  it('fails with what onEnd throws, after all chunks but a held one', async () => {
    const wrong = new Error('the bytes are wrong')
    const onEnd = () => {
      throw wrong
    }
    const received = async (holdLast: boolean) => {
      const got: Uint8Array[] = []
      const read = async () => {
        for await (const chunk of tap(streamOf(...chunks), { onEnd, holdLast })) got.push(chunk)
      }
      expect(await failureOf(read())).toBe(wrong)
      return got
    }
    expect(await received(false)).toEqual(chunks)
    expect(await received(true)).toEqual(chunks.slice(0, -1))
  })

  it('gives the reader what onFailure returns for a failed source', async () => {
    const failures: unknown[] = []
    const source = failingStream(new Error('of the source'), ...chunks)
    const onFailure = (error: unknown) => {
      failures.push(error)
      return new Error('of the tap')
    }
    expect(await failureOf(Array.fromAsync(tap(source, { onFailure })))).toEqual(new Error('of the tap'))
    expect(failures).toEqual([new Error('of the source')])
  })

  it('cancels the source, and calls nothing but onCancel then, while a read is under way', async () => {
    const called: string[] = []
    const { stream, stalled } = stallingStream()
    const reader = tap(stream, {
      onEnd: () => void called.push('end'),
      onFailure: () => called.push('failure'),
      onCancel: () => void called.push('cancel'),
    }).getReader()
    const read = reader.read()
    await stalled
    await reader.cancel()
    expect(await read).toMatchObject({ done: true })
    expect(called).toEqual(['cancel'])
  })

  it('reads nothing before its reader asks', async () => {
    let reads = 0
    const read = async () => {
      reads += 1
      return { done: true }
    }
    const passed = tap({ read, cancel: async () => {} }, {})
    await Bun.sleep(0)
    expect(reads).toBe(0)
    await Array.fromAsync(passed)
    expect(reads).toBe(1)
  })
})
