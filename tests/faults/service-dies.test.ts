import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { sweep } from '../../service/documents/maintenance/sweeper.ts'
import { probed } from '../support/service/probed.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import { KiB, MiB, pathOf, randomDocument, reprDigestOf } from '../support/service/sample-documents.ts'
import {
  type InProcessService,
  type SpawnedService,
  serviceInChild,
  serviceInProcess,
} from '../support/service/service-for-tests.ts'
import { keysOf, later, type OpenStore, startOpenStore } from '../support/stores/store-contents.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

const bytes = randomDocument(32 * MiB)

let disk: OpenStore

beforeEach(async () => {
  disk = await startOpenStore()
})

afterEach(() => disk.stop())

/** A service that has probed its store: the leftovers of a killed probe are not those of an upload. */
async function probedService(env: Record<string, string> = {}): Promise<SpawnedService> {
  const service = await serviceInChild({ store: disk, env })
  await probed(service)
  return service
}

async function beginPut(service: SpawnedService, headers: Record<string, string>): Promise<RawExchange> {
  const authorization = `Bearer ${await service.token()}`
  const path = pathOf('snapshots', 'unlucky')
  return rawRequest(service.url, { method: 'PUT', path, headers: { authorization, ...headers } })
}

describe('a service that is killed during an upload', () => {
  let service: SpawnedService

  beforeEach(async () => {
    service = await probedService()
  })

  afterEach(() => service.stop())

  it('leaves nothing of a small body', async () => {
    const exchange = await beginPut(service, { 'content-length': String(MiB) })
    await exchange.send(bytes.subarray(0, 300 * KiB))
    await service.process.kill()
    expect(await keysOf(service.store, '')).toEqual([])
    expect(await disk.unfinished()).toEqual([])
  })

  it('leaves nothing visible of a body that streams to its key, and none of its bytes', async () => {
    const exchange = await beginPut(service, {
      'content-length': String(bytes.length),
      'repr-digest': reprDigestOf(bytes),
    })
    await exchange.send(bytes.subarray(0, 24 * MiB))
    await service.process.kill()
    expect(await keysOf(service.store, '')).toEqual([])
    // The store forgets the beginning of an upload in parts after a day, and the sweep asks it to.
    const kept = await disk.unfinished()
    expect(kept.filter((file) => !file.endsWith('/xl.meta'))).toEqual([])
  })

  it('leaves nothing visible of a body that is staged', async () => {
    const exchange = await beginPut(service, { 'content-length': String(bytes.length) })
    await exchange.send(bytes.subarray(0, 24 * MiB))
    await until(async () => (await disk.unfinished()).length > 0)
    await service.process.kill()
    expect(await keysOf(service.store, '')).toEqual([])
  })
})

describe('an object that a killed service left in staging', () => {
  const contentType = 'application/octet-stream'
  const left = 'staging/acme/0123456789abcdef0123456789abcdef'
  const published = 'tenants/acme/documents/snapshots/kept/'.concat('0'.repeat(64))

  let service: InProcessService

  afterEach(() => service.stop())

  beforeEach(async () => {
    service = await serviceInProcess({ store: disk })
    await service.store.put(left, bytes.subarray(0, KiB), { size: KiB, contentType })
    await service.store.put(published, bytes.subarray(0, KiB), { size: KiB, contentType })
  })

  it('is never removed while it is younger than 24 hours by the clock of the store', async () => {
    expect(await sweep(service.store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
    expect(await sweep(later(service.store, 23.9))).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
    expect(await keysOf(service.store, '')).toEqual([left, published])
  })

  it('is removed once it is older, and nothing else is', async () => {
    expect(await sweep(later(service.store, 24.1))).toMatchObject({ stagedRemoved: 1, uploadsAborted: 0 })
    expect(await keysOf(service.store, '')).toEqual([published])
    expect(await sweep(later(service.store, 24.1))).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
  })

  it('is not removed early by the next service that starts on the bucket', async () => {
    const next = await probedService({ S3_BUCKET_DOCS: service.connection.bucket })
    expect(next.logs().map(({ event }) => event)).not.toContain('sweep.finished')
    await next.stop()
    expect(await keysOf(service.store, '')).toEqual([left, published])
  })
})
