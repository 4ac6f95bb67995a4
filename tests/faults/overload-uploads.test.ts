import { afterEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { limits } from '../../service/limits.ts'
import { type Fault, type FaultyStore, startFaultyStore } from '../support/faults/overload-refusing-store.ts'
import { callerOf, refusalOf } from '../support/service/caller.ts'
import { rawRequest } from '../support/service/raw-http.ts'
import { MiB, pathOf, randomDocument, reprDigestOf } from '../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'
import { inChunks } from '../support/stores/bodies.ts'
import { storeForTests } from '../support/stores/store.ts'
import { keysOf } from '../support/stores/store-contents.ts'

setDefaultTimeout(600_000)

let store: FaultyStore
let service: InProcessService

/** Starts the service on a store with a fault in each request whose line has this form, until `line` is `null`. */
async function startWith(line: RegExp, fault: Fault): Promise<{ line: RegExp | null }> {
  const where: { line: RegExp | null } = { line }
  const faultOf = (sent: string) => (where.line?.test(sent) ? fault : null)
  store = await startFaultyStore(await storeForTests(), faultOf)
  service = await serviceInProcess({ store })
  store.requests.length = 0
  return where
}

afterEach(async () => {
  await service.stop()
  await store.stop()
})

function sent(line: RegExp): string[] {
  return store.requests.filter((request) => line.test(request))
}

/** A request that carries the bytes of a version. */
const bytesOfVersion = /^PUT .*\/documents\//

const large = randomDocument(16 * MiB)

describe('a streamed upload, which cannot be sent again', () => {
  it.each([
    ['at once', 0],
    ['in the middle', 4 * MiB],
  ])(
    'is tried once, refused with 503 and Retry-After, and leaves nothing if the store refuses %s',
    async (_when, refusedAfterBytes) => {
      const fault = await startWith(bytesOfVersion, { refusedAfterBytes })
      const call = await callerOf(service)
      const headers = { 'repr-digest': reprDigestOf(large) }
      const answer = await call('snapshots/large', { method: 'PUT', headers, body: large })
      expect([await refusalOf(answer), answer.headers.get('retry-after')]).toEqual([
        '503 store_unavailable',
        '5',
      ])
      expect(sent(bytesOfVersion)).toHaveLength(1)
      fault.line = null
      expect(await keysOf(service.store, '')).toEqual([])
      expect((await call('snapshots/large', { method: 'PUT', headers, body: large })).status).toBe(201)
    },
  )

  it('is answered while its client still sends, and the next client is served', async () => {
    await startWith(bytesOfVersion, { refusedAfterBytes: 0 })
    const upload = await rawRequest(service.url, {
      method: 'PUT',
      path: pathOf('snapshots', 'large'),
      headers: {
        authorization: `Bearer ${await service.token()}`,
        'content-length': String(large.length),
        'repr-digest': reprDigestOf(large),
      },
    })
    await upload.send(large.subarray(0, MiB))
    expect((await upload.answer()).status).toBe(503)
    expect(sent(bytesOfVersion)).toHaveLength(1)
    expect((await (await callerOf(service))('?type=others')).status).toBe(200)
  })
})

describe('a staged upload', () => {
  it('sends a refused part again, then is refused, and leaves no unfinished multipart upload', async () => {
    const fault = await startWith(/partNumber=2/, { refusedAfterBytes: 0 })
    const call = await callerOf(service)
    const answer = await call('snapshots/staged', { method: 'PUT', body: inChunks(large) })
    expect([await refusalOf(answer), answer.headers.get('retry-after')]).toEqual([
      '503 store_unavailable',
      '5',
    ])
    expect(sent(/partNumber=2/)).toHaveLength(limits.storeAttemptsMax)
    fault.line = null
    expect(sent(/^DELETE .*uploadId=/)).toHaveLength(1)
    expect(await service.store.listUnfinished(stagingKey())).toEqual([])
    expect(await keysOf(service.store, '')).toEqual([])
  })

  it('is published once if the answer to the completion of its parts is lost', async () => {
    let lost = false
    store = await startFaultyStore(await storeForTests(), (line) => {
      if (lost || !/^POST .*uploadId=/.test(line)) return null
      lost = true
      return 'answer lost'
    })
    service = await serviceInProcess({ store })
    const call = await callerOf(service)
    const answer = await call('snapshots/staged', { method: 'PUT', body: inChunks(large) })
    expect(answer.status).toBe(201)
    expect(lost).toBe(true)
    expect(await (await call('snapshots/staged')).bytes()).toEqual(large)
    expect(await keysOf(service.store, 'staging/')).toEqual([])
  })

  it('leaves nothing if all answers to the completion of its parts are lost', async () => {
    const fault = await startWith(/\?uploadId=/, 'answer lost')
    const call = await callerOf(service)
    const answer = await call('snapshots/staged', { method: 'PUT', body: inChunks(large) })
    expect(await refusalOf(answer)).toBe('503 store_unavailable')
    fault.line = null
    expect(await service.store.listUnfinished(stagingKey())).toEqual([])
    expect(await keysOf(service.store, '')).toEqual([])
  })
})

/** Key of the multipart upload that was begun, as the service sees it. */
function stagingKey(): string {
  const key = /\/(staging\/[^? ]+)\?uploads/.exec(sent(/uploads/).join('\n'))?.[1]
  if (key === undefined) throw new Error('no upload in parts was begun')
  return key
}
