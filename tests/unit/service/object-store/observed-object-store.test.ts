import { beforeEach, describe, expect, it } from 'bun:test'
import { type ObjectStore, ObjectStoreError } from '../../../../service/object-store/object-store.ts'
import { measured } from '../../../../service/object-store/observed-object-store.ts'
import { createMemoryObjectStore } from '../../../support/stores/memory-object-store.ts'

const contentType = 'text/plain'
const abc = new TextEncoder().encode('abc')
const three = { size: 3, contentType }

const calls: string[] = []
const seconds: number[] = []
beforeEach(() => {
  calls.length = 0
  seconds.length = 0
})

function measuring(changes: Partial<ObjectStore> = {}): ObjectStore {
  return measured({ ...createMemoryObjectStore(), ...changes }, (operation, outcome, took) => {
    calls.push(`${operation} ${outcome}`)
    seconds.push(took)
  })
}

describe('measured', () => {
  it('reports every call by its name in the S3 API, and how long it took', async () => {
    const store = measuring()
    await store.put('a', abc, three)
    await store.head('a')
    await store.copy('a', 'b', { ifMatch: (await store.head('a'))?.etag ?? '', contentType, metadata: {} })
    const ifMatch = (await store.head('a'))?.etag ?? ''
    await store.copyAbsent('a', 'd', { ifMatch, size: 3, contentType, metadata: {} })
    expect(await store.getWhole('a', { bytesMax: 3, unless: ifMatch })).toBe('unchanged')
    await store.list({ prefix: '', limit: 1 })
    const upload = await store.startMultipart('c', { contentType })
    await upload.uploadPart(abc)
    await upload.complete()
    await upload.abort()
    await store.delete('a')
    await store.deleteBefore('a', { signedAt: new Date(), expiresInSeconds: 30 })
    await store.listUnfinished('')
    await store.abortUnfinished('a', 'id')
    await store.clock()
    expect(calls).toEqual(
      [
        'PutObject',
        'HeadObject',
        'HeadObject',
        'CopyObject',
        'HeadObject',
        'UploadPartCopy',
        'GetObject',
        'ListObjectsV2',
        'CreateMultipartUpload',
        'UploadPart',
        'CompleteMultipartUpload',
        'AbortMultipartUpload',
        'DeleteObject',
        'DeleteObject',
        'ListMultipartUploads',
        'AbortMultipartUpload',
        'HeadBucket',
      ].map((operation) => `${operation} ok`),
    )
    expect(seconds.every((took) => took >= 0 && took < 60)).toBe(true)
  })

  it('reports a read when its body begins, and passes that very body through', async () => {
    const body = new ReadableStream<Uint8Array>()
    const memory = createMemoryObjectStore()
    await memory.put('a', abc, three)
    const found = await memory.get('a')
    const store = measuring({ get: async () => found && { ...found, body } })
    expect((await store.get('a'))?.body).toBe(body)
    expect(calls).toEqual(['GetObject ok'])
  })

  it('takes absence and an unmet condition for answers', async () => {
    const store = measuring()
    expect(await store.get('absent')).toBeNull()
    expect(await store.put('absent', abc, { ...three, condition: { etag: 'other' } })).toBeNull()
    expect(calls).toEqual(['GetObject ok', 'PutObject ok'])
  })

  it('reports the code of a failure, and rethrows it', async () => {
    const lost = new ObjectStoreError('unavailable', 'head', 'ECONNRESET')
    await expect(measuring({ head: () => Promise.reject(lost) }).head('a')).rejects.toBe(lost)
    expect(calls).toEqual(['HeadObject unavailable'])
  })

  it('reports a caller that gave up, or whose own body failed, as aborted', async () => {
    const gone = new DOMException('gone', 'AbortError')
    await expect(measuring({ put: () => Promise.reject(gone) }).put('a', abc, three)).rejects.toBe(gone)
    expect(calls).toEqual(['PutObject aborted'])
  })
})
