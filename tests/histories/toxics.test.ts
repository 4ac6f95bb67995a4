import { afterEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { startToxiproxy, type Toxic } from '../../compose/servers/toxiproxy.ts'
import { leftAfterSweep } from '../support/histories/document-at-rest.ts'
import { toxics } from '../support/histories/toxics.ts'
import { type Call, type Caller, callerOf } from '../support/service/caller.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import {
  digestOf,
  KiB,
  keyOf,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
  storedUnder,
} from '../support/service/sample-documents.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'
import { jsonBody, ticketCalls } from '../support/service/ticket-calls.ts'
import { sizeOf } from '../support/sizes.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { inChunks } from '../support/stores/bodies.ts'
import { storeForTests } from '../support/stores/store.ts'
import { until } from '../support/waiting.ts'

/**
 * Each kind of damage to connections between the service and its store, in both directions, before requests begin and
 * within their bodies. Every request ends in time, and what it leaves is what its answer says.
 */

setDefaultTimeout(3_600_000)

/** Few tries of few seconds: a request makes some calls of the store, one after the other. */
const deadlines = { answerSecondsMax: 1, transferSecondsMax: 2 }
const requestSecondsMax = 30

const real = await storeForTests()
const toxiproxy = stoppedAfterTests(await startToxiproxy())
const proxy = await toxiproxy.addProxy('store', new URL(real.endpoint).host)
const store = { ...real, endpoint: `http://${proxy.host}` }
// So few connections that one which is never given back is missed.
const service = stoppedAfterTests(await serviceInProcess({ store, deadlines, connectionsMax: 10 }))
const call = timed(await callerOf(service))
const tickets = await ticketCalls(service)
const authorization = `Bearer ${await service.token({ exp: Math.ceil(Date.now() / 1000) + 6 * 3600 })}`
const type = 'bundles'

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

/** A caller whose requests fail if they take longer than any may. */
function timed(caller: Caller): Caller {
  return (path, asked: Call = {}) =>
    caller(path, { ...asked, signal: AbortSignal.timeout(requestSecondsMax * 1000) })
}

/** What a request came to: its status, and `cut` where the body of the answer did not end. */
async function outcomeOf(request: Promise<Response>): Promise<{ status: number | 'cut'; bytes: Uint8Array }> {
  const answer = await request
  const bytes = await answer.bytes().catch((error: Error) => {
    if (error.name === 'TimeoutError') throw error
    return null
  })
  return { status: bytes ? answer.status : 'cut', bytes: bytes ?? new Uint8Array() }
}

/** Prints how the requests of a setting ended: a setting that none of them feels would show nothing. */
function printOutcomes(setting: string, statuses: readonly (number | 'cut')[]): void {
  console.log(`${setting}: ${statuses.join(' ')}`)
}

/** Statuses that a store in trouble is a reason for. */
const troubled: readonly (number | 'cut')[] = [503, 'cut']

interface Flawed {
  what: string
  status: number | 'cut'
  found: unknown
}

/** An upload, and what it may leave: what was acknowledged is there, and otherwise it is absent or whole. */
async function uploadFlaws(what: string, name: string, bytes: Uint8Array, status: number | 'cut') {
  const digest = digestOf(bytes)
  const found = await storedUnder(service.store, keyOf(type, name, digest))
  const whole = found?.digest === digest && found.size === bytes.length
  const acknowledged = status === 200 || status === 201
  const right = acknowledged ? whole : troubled.includes(status) && (found === null || whole)
  return right ? [] : [{ what, status, found }]
}

describe('while connections to the store are damaged', () => {
  it.each(settings(0))('every call ends in time and does what it says: %s, %s', async (name, stream) => {
    const flaws: Flawed[] = []
    const statuses: (number | 'cut')[] = []
    const own = (what: string) => `${what}-${crypto.randomUUID()}`
    const [small, large, staged] = [randomDocument(KiB), randomDocument(1.5 * MiB), randomDocument(9 * MiB)]
    const [old, gone, ticketed] = [own('old'), own('gone'), own('ticketed')]
    const [expired, sent] = [randomDocument(KiB), randomDocument(KiB)]
    const kept = randomDocument(1.5 * MiB)
    await Promise.all([
      call(`${type}/${old}`, { method: 'PUT', body: kept }),
      call(`${type}/${gone}`, { method: 'PUT', body: expired }),
    ])
    const ticket = await tickets.uploaded(ticketed, sent)
    await damage(name, stream)

    const upload = async (what: string, bytes: Uint8Array<ArrayBuffer>, asked: Call) => {
      const document = own(what)
      const { status } = await outcomeOf(call(`${type}/${document}`, { method: 'PUT', ...asked }))
      statuses.push(status)
      return () => uploadFlaws(what, document, bytes, status)
    }
    const read = async (what: string, path: string, asked: Call, expected?: Uint8Array) => {
      const { status, bytes } = await outcomeOf(call(path, asked))
      statuses.push(status)
      const right =
        status === 200
          ? !expected || bytes.length === 0 || digestOf(bytes) === digestOf(expected)
          : troubled.includes(status)
      return async () => (right ? [] : [{ what, status, found: bytes.length }])
    }
    const write = async (what: string, path: string, asked: Call, good: number[]) => {
      const { status } = await outcomeOf(call(path, asked))
      statuses.push(status)
      const right = troubled.includes(status) || good.includes(Number(status))
      return async () => (right ? [] : [{ what, status, found: null }])
    }
    const version = `${type}/${old}/versions/${digestOf(kept)}`
    const checks = await Promise.all([
      upload('small', small, { body: small }),
      upload('streamed', large, { body: large, headers: { 'repr-digest': reprDigestOf(large) } }),
      upload('staged', staged, { body: inChunks(staged) }),
      read('get', `${type}/${old}`, {}, kept),
      read('head', version, { method: 'HEAD' }),
      read('list', `?type=${type}&name=${old}`, {}),
      read('versions', `${type}/${old}/versions`, {}),
      write(
        'tag',
        `${type}/${old}/tags/stable`,
        { method: 'PUT', ...jsonBody({ digest: digestOf(kept) }) },
        [200, 201],
      ),
      write('delete', `${type}/${gone}/versions/${digestOf(expired)}`, { method: 'DELETE' }, [204]),
      write(
        'complete',
        `${type}/${ticketed}/uploads/${ticket.id}/complete`,
        { method: 'POST', ...jsonBody({ ticket: ticket.ticket }) },
        [200, 201],
      ),
    ])
    printOutcomes(`${name}, ${stream}`, statuses)
    await heal()
    for (const check of checks) flaws.push(...(await check()))
    expect(flaws).toEqual([])
    expect((await outcomeOf(call(version))).status).toBe(200)
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

  async function ended(exchange: RawExchange): Promise<number | 'cut'> {
    // A service that reads no more of a body may reset the connection before its answer is read.
    const answered = exchange.answer().catch(() => null)
    const answer = await Promise.race([answered, Bun.sleep(requestSecondsMax * 1000)])
    if (answer === undefined) throw new Error(`a request did not end within ${requestSecondsMax} s`)
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
      printOutcomes(`within, ${name}, ${stream}`, [keyStatus, stagingStatus, downloaded])
      await heal()
      expect([
        ...(await uploadFlaws('streamed', streamed, bytes, keyStatus)),
        ...(await uploadFlaws('staged', staged, bytes, stagingStatus)),
      ]).toEqual([])
      expect([200, 'cut']).toContain(downloaded)
      const again = await outcomeOf(call(`${type}/${read}`))
      expect([again.status, digestOf(again.bytes)]).toEqual([200, digestOf(bytes)])
    },
  )
})

it('leaves nothing in the store but versions and records after all of that', async () => {
  expect(await leftAfterSweep(service.store)).toEqual([])
})
