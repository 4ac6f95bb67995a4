import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { type Caller, callerOf, refusalOf } from '../support/service/caller.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import { KiB, MiB, pathOf, randomDocument, reprDigestOf } from '../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../support/service/service-for-tests.ts'
import { keysOf, type OpenStore, startOpenStore } from '../support/stores/store-contents.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

const bytes = randomDocument(32 * MiB)
const deadlines = { answerSecondsMax: 2, transferSecondsMax: 4 }

let disk: OpenStore
let service: InProcessService
let call: Caller
let authorization: string

beforeEach(async () => {
  disk = await startOpenStore()
  service = await serviceInProcess({ store: disk, deadlines })
  call = await callerOf(service)
  authorization = `Bearer ${await service.token()}`
})

afterEach(async () => {
  disk.resume()
  await service.stop()
  await disk.stop()
})

const path = pathOf('snapshots', 'unlucky')

async function put(body: Uint8Array<ArrayBuffer>): Promise<number> {
  const headers = { 'repr-digest': reprDigestOf(body) }
  return (await call(path, { method: 'PUT', headers, body })).status
}

function beginPut(headers: Record<string, string>): Promise<RawExchange> {
  return rawRequest(service.url, { method: 'PUT', path, headers: { authorization, ...headers } })
}

async function codeOf(exchange: RawExchange): Promise<string> {
  const { status, body } = await exchange.answer()
  return `${status} ${JSON.parse(body.toString()).code}`
}

const unavailable = '503 store_unavailable'

describe('an upload during which the store is killed', () => {
  async function killedBetween(exchange: RawExchange, rest: () => Promise<void>) {
    await disk.kill()
    // The service may have given up already and read no more.
    void rest()
    const answer = await codeOf(exchange)
    disk = await disk.restarted()
    return { answer, keys: await keysOf(service.store, '') }
  }

  const nothingThere = { answer: unavailable, keys: [] }

  it('is answered with 503 and leaves nothing of a small body', async () => {
    const small = bytes.subarray(0, 500 * KiB)
    const exchange = await beginPut({ 'content-length': String(small.length) })
    await exchange.send(small.subarray(0, 100 * KiB))
    const rest = () => exchange.send(small.subarray(100 * KiB))
    expect(await killedBetween(exchange, rest)).toEqual(nothingThere)
    expect(await put(small)).toBe(201)
  })

  it('is answered with 503 and leaves nothing of a body that streams to its key', async () => {
    const size = String(bytes.length)
    const exchange = await beginPut({ 'content-length': size, 'repr-digest': reprDigestOf(bytes) })
    await exchange.send(bytes.subarray(0, 20 * MiB))
    await until(() => service.storeCalls.includes('put'))
    const rest = () => exchange.send(bytes.subarray(20 * MiB))
    expect(await killedBetween(exchange, rest)).toEqual(nothingThere)
    expect(await put(bytes)).toBe(201)
  })

  it('is answered with 503 and publishes nothing of a body that is staged', async () => {
    const exchange = await beginPut({ 'content-length': String(bytes.length) })
    await exchange.send(bytes.subarray(0, 20 * MiB))
    await until(async () => (await disk.unfinished()).length > 0)
    const rest = () => exchange.send(bytes.subarray(20 * MiB))
    // Its parts could not be aborted: the sweeper or the store itself removes them after a day.
    expect(await killedBetween(exchange, rest)).toEqual(nothingThere)
    expect(await put(bytes)).toBe(201)
  })
})

describe('an upload during which the store stalls', () => {
  it('is answered with 503 if it streams to its key, and nothing is there once the store is back', async () => {
    const size = String(bytes.length)
    const exchange = await beginPut({ 'content-length': size, 'repr-digest': reprDigestOf(bytes) })
    await exchange.send(bytes.subarray(0, MiB))
    await until(() => service.storeCalls.includes('put'))
    disk.pause()
    void exchange.send(bytes.subarray(MiB))
    expect(await codeOf(exchange)).toBe(unavailable)
    disk.resume()
    expect(await keysOf(service.store, '')).toEqual([])
  })

  it('is answered with 503 if it is staged', async () => {
    const exchange = await beginPut({ 'content-length': String(bytes.length) })
    await exchange.send(bytes.subarray(0, 12 * MiB))
    await until(async () => (await disk.unfinished()).length > 0)
    disk.pause()
    void exchange.send(bytes.subarray(12 * MiB))
    expect(await codeOf(exchange)).toBe(unavailable)
    disk.resume()
    expect(await keysOf(service.store, '')).toEqual([])
  })
})

describe('a download during which the store fails', () => {
  /** A download that has begun and then waits for its client, with most of it still in the store. */
  async function begun(): Promise<RawExchange> {
    const exchange = await rawRequest(service.url, { method: 'GET', path, headers: { authorization } })
    await until(() => exchange.received() > 0)
    exchange.pause()
    return exchange
  }

  async function seen(exchange: RawExchange) {
    exchange.resume()
    const { status, complete, body } = await exchange.answer()
    return { status, complete, all: body.length === bytes.length }
  }

  const cutOff = { status: 200, complete: false, all: false }

  it('is cut off when the store is killed, and works again when it is back', async () => {
    await put(bytes)
    const exchange = await begun()
    await disk.kill()
    expect(await seen(exchange)).toEqual(cutOff)
    disk = await disk.restarted()
    expect(await seen(await begun())).toEqual({ status: 200, complete: true, all: true })
  })

  it('is cut off when the store stalls', async () => {
    await put(bytes)
    const exchange = await begun()
    disk.pause()
    expect(await seen(exchange)).toEqual(cutOff)
    disk.resume()
    expect(await seen(await begun())).toEqual({ status: 200, complete: true, all: true })
  })

  it('is complete if the store only pauses', async () => {
    await put(bytes)
    const exchange = await begun()
    disk.pause()
    exchange.resume()
    await Bun.sleep(300)
    disk.resume()
    expect(await seen(exchange)).toEqual({ status: 200, complete: true, all: true })
  })
})

describe('every other call while the store is out of reach', () => {
  const outcomeOf = async (response: Response) =>
    response.ok ? String(response.status) : refusalOf(response)
  const calls = () =>
    Promise.all(
      [path, `${path}/versions`, `${path}/tags/latest`, '/v1/tenants/acme/documents'].map(async (address) =>
        outcomeOf(await call(address)),
      ),
    )
  const all = (outcome: string) => Array(4).fill(outcome)

  it('is answered with 503 while the store is killed, and works again when it is back', async () => {
    await put(bytes.subarray(0, KiB))
    await disk.kill()
    expect(await calls()).toEqual(all(unavailable))
    disk = await disk.restarted()
    expect(await calls()).toEqual(all('200'))
  })

  it('is answered with 503 while the store stalls, and works again when it continues', async () => {
    await put(bytes.subarray(0, KiB))
    disk.pause()
    expect(await calls()).toEqual(all(unavailable))
    disk.resume()
    expect(await calls()).toEqual(all('200'))
  })

  it('is announced by /readyz, and never by /livez', async () => {
    const health = async () => [
      (await fetch(`${service.url}/readyz`)).status,
      (await fetch(`${service.url}/livez`)).status,
    ]
    expect(await health()).toEqual([200, 200])
    disk.pause()
    await until(async () => (await health())[0] === 503)
    expect(await health()).toEqual([503, 200])
    disk.resume()
    await until(async () => (await health())[0] === 200)
    expect(await health()).toEqual([200, 200])
  })
})
