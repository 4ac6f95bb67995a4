import { afterEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { startToxiproxy, type Toxic } from '../../compose/servers/toxiproxy.ts'
import { leftAfterSweep } from '../support/histories/document-at-rest.ts'
import {
  calledType,
  callSecondsMax,
  type Ending,
  endOf,
  prepareEveryCall,
  timed,
  uploadFlaws,
} from '../support/histories/every-call.ts'
import { toxics } from '../support/histories/toxics.ts'
import { callerOf } from '../support/service/caller.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import {
  digestOf,
  KiB,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
} from '../support/service/sample-documents.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'
import { sizeOf } from '../support/sizes.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { storeForTests } from '../support/stores/store.ts'
import { until } from '../support/waiting.ts'

/**
 * Each kind of damage to connections between the service and its store, in both directions, before requests begin and
 * within their bodies. Every request ends in time, and what it leaves is what its answer says.
 */

setDefaultTimeout(3_600_000)

/** Few tries of few seconds: a request makes some calls of the store, one after the other. */
const deadlines = { answerSecondsMax: 1, transferSecondsMax: 2 }

const real = await storeForTests()
const toxiproxy = stoppedAfterTests(await startToxiproxy())
const proxy = await toxiproxy.addProxy('store', new URL(real.endpoint).host)
const store = { ...real, endpoint: `http://${proxy.host}` }
// So few connections that one which is never given back is missed.
const service = stoppedAfterTests(await serviceInProcess({ store, deadlines, connectionsMax: 10 }))
const call = timed(await callerOf(service))
const authorization = `Bearer ${await service.token({ exp: Math.ceil(Date.now() / 1000) + 6 * 3600 })}`
const type = calledType

const directions = sizeOf({ test: 1, long: 2, of: 'directions of each toxic' })

/** All toxics, in the directions of this run: if in one only, in turn. */
function settings(turn: 0 | 1): [string, Toxic['stream']][] {
  const toxic = Object.keys(toxics).flatMap((name, at) =>
    Array.from({ length: directions }, (_, more): [string, Toxic['stream']] => [
      name,
      (at + turn + more) % 2 === 0 ? 'upstream' : 'downstream',
    ]),
  )
  return [...toxic, ['down', 'upstream']]
}

afterEach(async () => {
  await proxy.setEnabled(true)
  await proxy.removeToxics()
})

async function damage(name: string, stream: Toxic['stream']): Promise<void> {
  const toxic = toxics[name]
  await (toxic ? proxy.addToxic({ ...toxic, stream }) : proxy.setEnabled(false))
}

async function heal(): Promise<void> {
  await proxy.setEnabled(true)
  await proxy.removeToxics()
  await until(async () => (await fetch(`${service.url}/readyz`)).ok)
}

/** Prints how the requests of a setting ended: a setting that none of them feels would show nothing. */
function printEndings(setting: string, endings: readonly Ending[]): void {
  console.log(`${setting}: ${endings.join(' ')}`)
}

describe('while connections to the store are damaged', () => {
  it.each(settings(0))('every call ends in time and does what it says: %s, %s', async (name, stream) => {
    const callAll = await prepareEveryCall(service)
    await damage(name, stream)
    const { endings, flaws } = await callAll()
    printEndings(`${name}, ${stream}`, endings)
    await heal()
    expect(await flaws()).toEqual([])
  })
})

describe('when connections to the store are damaged within a body', () => {
  const half = 4 * MiB

  async function begunPut(
    name: string,
    bytes: Uint8Array,
    headers: Record<string, string>,
  ): Promise<RawExchange> {
    const request = { method: 'PUT', path: pathOf(type, name), headers: { authorization, ...headers } }
    const exchange = await rawRequest(service.url, request)
    await exchange.send(bytes.subarray(0, half))
    return exchange
  }

  async function ended(exchange: RawExchange): Promise<Ending> {
    // A service that reads no more of a body may reset the connection before its answer is read.
    const answered = exchange.answer().catch(() => null)
    const answer = await Promise.race([answered, Bun.sleep(callSecondsMax * 1000)])
    if (answer === undefined) throw new Error(`a request did not end within ${callSecondsMax} s`)
    return answer?.complete ? answer.status : 'cut'
  }

  it.each(settings(1))(
    'uploads and downloads end in time, whole or not at all: %s, %s',
    async (name, stream) => {
      const bytes = randomDocument(2 * half + KiB)
      const [streamed, staged, read] = ['streamed', 'staged', 'read'].map(
        (what) => `${what}-${crypto.randomUUID()}`,
      ) as [string, string, string]
      expect((await call(`${type}/${read}`, { method: 'PUT', body: bytes })).status).toBe(201)
      const size = { 'content-length': String(bytes.length) }
      const toKey = await begunPut(streamed, bytes, { ...size, 'repr-digest': reprDigestOf(bytes) })
      const toStaging = await begunPut(staged, bytes, size)
      const download = await rawRequest(service.url, {
        method: 'GET',
        path: pathOf(type, read),
        headers: { authorization },
      })
      await until(() => download.received() > 0)
      download.pause()

      await damage(name, stream)
      download.resume()
      // The service may have given up, and read no more.
      for (const exchange of [toKey, toStaging]) void exchange.send(bytes.subarray(half)).catch(() => {})
      const [keyStatus, stagingStatus, downloaded] = await Promise.all([
        ended(toKey),
        ended(toStaging),
        ended(download),
      ])
      printEndings(`within, ${name}, ${stream}`, [keyStatus, stagingStatus, downloaded])
      await heal()
      expect([
        ...(await uploadFlaws(service, 'streamed', { name: streamed, bytes, ending: keyStatus })),
        ...(await uploadFlaws(service, 'staged', { name: staged, bytes, ending: stagingStatus })),
      ]).toEqual([])
      expect([200, 'cut']).toContain(downloaded)
      const again = await endOf(call(`${type}/${read}`))
      expect([again.ending, digestOf(again.bytes)]).toEqual([200, digestOf(bytes)])
    },
  )
})

it('leaves nothing in the store but versions and records after all of that', async () => {
  expect(await leftAfterSweep(service.store)).toEqual([])
})
