import { afterAll, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreConnection } from '../../compose/servers/running-store.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { registerSecret } from '../support/secrets.ts'
import { bytesIn, bytesOf, failureOf, streamOf } from '../support/stores/bodies.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { startPrivateStore, storeForTests } from '../support/stores/store.ts'

const contentType = 'application/octet-stream'
const startMillisecondsMax = 600_000
// A test that is out of time takes all servers of its process down with it.
setDefaultTimeout(60_000)

let real: StoreConnection
let bucket: string
beforeAll(async () => {
  real = await storeForTests()
  bucket = await freshBucket(real)
}, startMillisecondsMax)

type S3Store = ReturnType<typeof createS3ObjectStore>

/** What each method of the port rejects with, called once. */
async function failuresOf(store: S3Store) {
  const put = { size: 3, contentType }
  return {
    clock: await failureOf(store.clock()),
    put: await failureOf(store.put('key', bytesOf(3), put)),
    streamedPut: await failureOf(store.put('key', streamOf(bytesOf(3)), put)),
    get: await failureOf(store.get('key')),
    list: await failureOf(store.list({ prefix: '', limit: 10 })),
    delete: await failureOf(store.delete('key')),
    startMultipart: await failureOf(store.startMultipart('key', { contentType })),
    listUnfinished: await failureOf(store.listUnfinished('key')),
  }
}

/** The failures, all with this code and each named for its method. */
function allOf(code: string) {
  const failure = (operation: string) =>
    expect.objectContaining({ name: 'ObjectStoreError', code, operation }) as unknown
  return {
    clock: failure('clock'),
    put: failure('put'),
    streamedPut: failure('put'),
    get: failure('get'),
    list: failure('list'),
    delete: failure('delete'),
    startMultipart: failure('startMultipart'),
    listUnfinished: failure('listUnfinished'),
  }
}

/** Everything that a log could get out of an error. */
function allThatIsSaid(value: unknown): string {
  return Bun.inspect(value, { depth: 20 }) + JSON.stringify(value)
}

describe('S3 object store with a wrong secret', () => {
  const wrongSecret = crypto.randomUUID().replaceAll('-', '')
  let failures: Awaited<ReturnType<typeof failuresOf>>
  let head: unknown
  beforeAll(async () => {
    registerSecret(wrongSecret)
    const store = createS3ObjectStore({ ...real, secretAccessKey: wrongSecret, bucket, connectionsMax: 4 })
    failures = await failuresOf(store)
    head = await failureOf(store.head('key'))
    store.close()
  })

  it('is denied everything', () => {
    expect(failures).toEqual(allOf('denied'))
    expect(head).toMatchObject({ name: 'ObjectStoreError', code: 'denied', operation: 'head' })
  })

  it('tells neither the credentials nor the host', () => {
    const said = allThatIsSaid([failures, head])
    expect(said).not.toContain(wrongSecret)
    expect(said).not.toContain(real.accessKeyId)
    expect(said).not.toContain(new URL(real.endpoint).host)
    expect(said).not.toContain('X-Amz-')
  })

  it('differs from the right one in nothing else', async () => {
    const store = createS3ObjectStore({ ...real, bucket, connectionsMax: 4 })
    expect(await store.clock()).toBeInstanceOf(Date)
    store.close()
  })
})

describe('S3 object store on an absent bucket', () => {
  it('rejects, and does not take it for an absent key', async () => {
    const store = createS3ObjectStore({ ...real, bucket: 'absent-bucket', connectionsMax: 4 })
    expect(await failuresOf(store)).toEqual(allOf('rejected'))
    const condition = { etag: 'd41d8cd98f00b204e9800998ecf8427e' }
    await expect(store.put('key', bytesOf(3), { size: 3, contentType, condition })).rejects.toMatchObject({
      code: 'rejected',
    })
    store.close()
  })
})

describe('S3 object store whose server is gone', () => {
  let dataDir: string
  let server: Awaited<ReturnType<typeof startPrivateStore>>
  let store: S3Store
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'cloudlysis-contract-'))
    server = await startPrivateStore({ dataDir })
    const own = await freshBucket(server)
    store = createS3ObjectStore({ ...server, bucket: own, connectionsMax: 4 })
    await store.put('kept', bytesOf(9), { size: 9, contentType })
  }, startMillisecondsMax)
  afterAll(async () => {
    store.close()
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  it('lets a caller give up on a server that does not answer', async () => {
    server.pause()
    // Its threads on other cores stop a moment later than the signal is sent.
    await Bun.sleep(100)
    const reason = new Error('the client went away')
    const abort = new AbortController()
    const failures = Promise.all([
      failureOf(store.get('kept', { signal: abort.signal })),
      failureOf(store.put('key', bytesOf(3), { size: 3, contentType, signal: abort.signal })),
      failureOf(store.list({ prefix: '', limit: 1, signal: abort.signal })),
      failureOf(store.clock({ signal: abort.signal })),
    ])
    await Bun.sleep(100)
    abort.abort(reason)
    expect(await failures).toEqual([reason, reason, reason, reason])
    server.resume()
    expect(await bytesIn(await store.get('kept'))).toEqual(bytesOf(9))
  })

  it('is unavailable while the server is dead, says nothing of it, and works once it is back', async () => {
    await server.kill()
    const failures = await failuresOf(store)
    expect(failures).toEqual(allOf('unavailable'))
    await expect(store.head('kept')).rejects.toMatchObject({ code: 'unavailable', operation: 'head' })
    const said = allThatIsSaid(failures)
    expect(said).not.toContain(server.secretAccessKey)
    expect(said).not.toContain(server.accessKeyId)
    expect(said).not.toContain(new URL(server.endpoint).host)
    expect(said).not.toContain('127.0.0.1')

    const port = Number(new URL(server.endpoint).port)
    server = await startPrivateStore({ dataDir, port, credentials: server })
    expect(await bytesIn(await store.get('kept'))).toEqual(bytesOf(9))
  }, 120_000)
})
