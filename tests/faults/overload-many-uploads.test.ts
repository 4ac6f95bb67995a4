import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { flood, quantile } from '../support/faults/flood.ts'
import { recordFigure } from '../support/figures.ts'
import { callerOf, put } from '../support/service/caller.ts'
import { loadOf } from '../support/service/process-load.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import { KiB, MiB, pathOf, randomDocument, reprDigestOf } from '../support/service/sample-documents.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { sizeOf } from '../support/sizes.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

const uploadsMost = sizeOf({ test: 64, long: 500, of: 'uploads that a tenant makes at once' })
const isLong = uploadsMost === 500

let service: SpawnedService
let uploads: RawExchange[]
let authorization: string

beforeEach(async () => {
  service = await serviceInChild()
  authorization = `Bearer ${await service.token()}`
  uploads = []
})
afterEach(async () => {
  for (const upload of uploads) upload.reset()
  await service.stop()
})

/** Begins an upload of tenant `acme`, and sends its first bytes. */
async function beginUpload(
  size: number,
  first: Uint8Array,
  declared: Record<string, string> = {},
): Promise<void> {
  const headers = { authorization, 'content-length': String(size), ...declared }
  const path = pathOf('uploads', crypto.randomUUID())
  const upload = await rawRequest(service.url, { method: 'PUT', path, headers })
  uploads.push(upload)
  void upload.send(first).catch(() => {})
}

function eventsOf(event: string): number {
  return service.logs().filter((line) => line.event === event && line.tenant === 'acme').length
}

const answered = () => uploads.filter((upload) => upload.received() > 0)

describe('while one tenant has 500 uploads under way that do not end', () => {
  it('no small read of another tenant, nor of its own, waits for any of them', async () => {
    const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
    const small = '/v1/tenants/globex/documents/definitions/small'
    await put(globex, small, 'small')
    await Promise.all(Array.from({ length: 500 }, () => beginUpload(64 * KiB, randomDocument(KiB))))
    await until(() => eventsOf('access.decided') === 500, 'the uploads to be let in')
    for (let read = 0; read < 100; read += 1) expect(await (await globex(small)).text()).toBe('small')
    expect((await globex(small, { method: 'PUT', body: 'another one' })).status).toBe(201)
    const acme = await callerOf(service)
    expect((await acme('?limit=1')).status).toBe(200)
    // A few may have been given up as too slow by then, where the machine is.
    expect(answered().length).toBeLessThan(100)
    expect(loadOf(service.process.pid).memoryMiB).toBeLessThan(256)
  })
})

describe('while one tenant uploads small documents on many connections without a pause', () => {
  it('every upload is accepted or refused with Retry-After, and every small read of another tenant is answered', async () => {
    const globex = await service.token({ tenants: ['globex'] })
    const small = '/v1/tenants/globex/documents/definitions/small'
    await put(await callerOf(service, globex), small, 'small')
    const shared = { url: service.url, seconds: isLong ? 30 : 3, pauseMilliseconds: 100 }
    const token = await service.token()
    const upload = randomDocument(64 * KiB)
    const readsBeside = async (clients: number) => {
      const path = (client: number) => pathOf('uploads', `of-${client}`)
      const [uploads, reads] = await Promise.all([
        flood({ ...shared, path, upload, token, clients }),
        flood({ ...shared, path: () => small, token: globex, clients: 1 }),
      ])
      const accepted = ['200', '201', '429, Retry-After: 1']
      expect(Object.keys(uploads.answers).filter((answer) => !accepted.includes(answer))).toEqual([])
      expect(Object.keys(reads.answers)).toEqual(['200'])
      return reads.milliseconds
    }
    for (const clients of [16, uploadsMost]) {
      const p95 = Math.round(quantile(await readsBeside(clients), 0.95))
      if (isLong) {
        const name = `p95 of small reads of another tenant during ${clients} parallel uploads`
        recordFigure('overload', { name, value: p95, unit: 'ms' })
      }
    }
  })
})

describe('a hundred large uploads of one tenant at once', () => {
  it('are refused with 429 beyond its share, stay within 256 MiB with all that they have sent, and leave others room', async () => {
    // With digest and length each of them holds a connection to the store.
    const streamed = { 'repr-digest': reprDigestOf('something else') }
    for (let begun = 0; begun < 100; begun += 1)
      await beginUpload(64 * MiB, randomDocument(4 * MiB), streamed)
    await until(() => answered().length >= 68, 'the others to be refused')
    const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
    const small = '/v1/tenants/globex/documents/definitions/small'
    expect((await globex(small, { method: 'PUT', body: 'small' })).status).toBe(201)
    expect(await (await globex(small)).text()).toBe('small')
    expect(loadOf(service.process.pid).memoryMiB).toBeLessThan(256)
    const statuses = await Promise.all(answered().map(async (upload) => (await upload.answer()).status))
    expect(statuses).toEqual(Array.from({ length: 68 }, () => 429))
  })
})
