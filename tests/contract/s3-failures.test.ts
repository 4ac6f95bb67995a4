import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { readdir, readFile } from 'node:fs/promises'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { folderForTests } from '../support/folder.ts'
import { registerSecret } from '../support/secrets.ts'
import { bytesIn, bytesOf, failureOf, streamOf } from '../support/stores/bodies.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { startPrivateStore, storeForTests } from '../support/stores/store.ts'
import { relayTo } from '../support/stores/tcp-relay.ts'
import { until } from '../support/waiting.ts'

const contentType = 'application/octet-stream'
const startMillisecondsMax = 600_000
// A test that is out of time takes all servers of its process down with it.
const real = await storeForTests()
const bucket = await freshBucket(real)

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

/** Waits until every thread of a process has stopped: threads on other cores stop a moment after the signal. */
async function untilFrozen(pid: number): Promise<void> {
  const threads = await readdir(`/proc/${pid}/task`)
  const stateOf = async (thread: string) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')
  await until(async () => (await Promise.all(threads.map(stateOf))).every((stat) => stat.includes(') T ')))
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

  it('is denied every call', () => {
    expect(failures).toEqual(allOf('denied'))
    expect(head).toMatchObject({ name: 'ObjectStoreError', code: 'denied', operation: 'head' })
  })

  it('reveals neither the credentials nor the host', () => {
    const said = allThatIsSaid([failures, head])
    expect(said).not.toContain(wrongSecret)
    expect(said).not.toContain(real.accessKeyId)
    expect(said).not.toContain(new URL(real.endpoint).host)
    expect(said).not.toContain('X-Amz-')
  })

  it('works with the right secret, everything else being equal', async () => {
    const store = createS3ObjectStore({ ...real, bucket, connectionsMax: 4 })
    expect(await store.clock()).toBeInstanceOf(Date)
    store.close()
  })
})

describe('S3 object store on an absent bucket', () => {
  it('rejects every call, and does not report an absent key', async () => {
    const store = createS3ObjectStore({ ...real, bucket: 'absent-bucket', connectionsMax: 4 })
    expect(await failuresOf(store)).toEqual(allOf('rejected'))
    const condition = { etag: 'd41d8cd98f00b204e9800998ecf8427e' }
    await expect(store.put('key', bytesOf(3), { size: 3, contentType, condition })).rejects.toMatchObject({
      code: 'rejected',
    })
    store.close()
  })
})

describe('S3 object store whose connection breaks within the answer about an absent key', () => {
  it('is unavailable, wherever the answer breaks off', async () => {
    const relay = relayTo(Number(new URL(real.endpoint).port))
    const endpoint = `http://127.0.0.1:${relay.port}`
    const store = createS3ObjectStore({ ...real, endpoint, bucket, connectionsMax: 4 })
    // The head of the answer of MinIO ends between these, and its body at more than 700.
    for (const answered of [100, 550, 650, 700]) {
      relay.cutAfter(answered)
      expect(await failureOf(store.get('absent'))).toMatchObject({
        name: 'ObjectStoreError',
        code: 'unavailable',
      })
    }
    relay.cutAfter(Number.POSITIVE_INFINITY)
    expect(await store.get('absent')).toBeNull()
    store.close()
    relay.stop()
  })
})

describe('S3 object store whose server stops answering', () => {
  let dataDir: string
  let server: Awaited<ReturnType<typeof startPrivateStore>>
  let own: string
  let store: S3Store
  beforeAll(async () => {
    dataDir = await folderForTests('cloudlysis-contract-')
    server = await startPrivateStore({ dataDir })
    own = await freshBucket(server)
    store = createS3ObjectStore({ ...server, bucket: own, connectionsMax: 4 })
    await store.put('kept', bytesOf(9), { size: 9, contentType })
  }, startMillisecondsMax)
  afterAll(async () => {
    store.close()
    await server.stop()
  })

  it('lets a caller give up on a server that does not answer', async () => {
    const relay = relayTo(Number(new URL(server.endpoint).port))
    const endpoint = `http://127.0.0.1:${relay.port}`
    const relayed = createS3ObjectStore({ ...server, endpoint, bucket: own, connectionsMax: 4 })
    server.pause()
    await untilFrozen(server.pid)
    const reason = new Error('the client went away')
    const abort = new AbortController()
    const failures = Promise.all([
      failureOf(relayed.get('kept', { signal: abort.signal })),
      failureOf(relayed.put('key', bytesOf(3), { size: 3, contentType, signal: abort.signal })),
      failureOf(relayed.list({ prefix: '', limit: 1, signal: abort.signal })),
      failureOf(relayed.clock({ signal: abort.signal })),
    ])
    await until(() => relay.requests.length === 4)
    abort.abort(reason)
    expect(await failures).toEqual([reason, reason, reason, reason])
    server.resume()
    expect(await bytesIn(await relayed.get('kept'))).toEqual(bytesOf(9))
    relayed.close()
    relay.stop()
  })

  it('is unavailable while the server is dead, reveals nothing about it, and works once it is back', async () => {
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
  })
})
