import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { callerOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import {
  digestOf,
  KiB,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
} from '../support/service/sample-documents.ts'
import { sizeOf } from '../support/sizes.ts'
import { storeForTests } from '../support/stores/store.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

const sockets = sizeOf({ test: 40, long: 500, of: 'hostile sockets' })

const { service } = await ownService({
  // All of them are admitted, so that it is memory that they compete for.
  requestsMax: 4096,
  uploadsBytesMax: 4096 * MiB,
  store: await storeForTests(),
  uploadPace: { idleSecondsMax: 60, periodSeconds: 60 },
})
const modest = await callerOf(service, await service.token({ tenants: ['globex'] }))
const globex = pathOf('snapshots', 'small', 'globex')

/** Begins an upload of tenant `acme`. */
async function begun(name: string, headers: Readonly<Record<string, string>>): Promise<RawExchange> {
  return rawRequest(service.url, {
    method: 'PUT',
    path: pathOf('snapshots', name),
    headers: { authorization: `Bearer ${await service.token()}`, ...headers },
  })
}

/** Begins many that announce `size` bytes each and send some of them, then nothing. */
async function crowd(size: number, sent: number): Promise<RawExchange[]> {
  const bytes = randomDocument(sent)
  const one = async (at: number) => {
    const exchange = await begun(`hostile-${at}`, { 'content-length': String(size) })
    await exchange.send(bytes)
    return exchange
  }
  return Promise.all(Array.from({ length: sockets }, (_, at) => one(at)))
}

describe('many uploads of one tenant that send the beginning of their body and then nothing', () => {
  it('keep no upload of another tenant from being stored, small or large', async () => {
    const hostile = await crowd(8 * MiB, KiB)
    await put(modest, globex, 'small')
    await put(modest, globex, randomDocument(8 * MiB))
    for (const one of hostile) one.reset()
  })

  it('make room for another tenant when they hold all memory: the slowest is refused as busy', async () => {
    const hostile = await crowd(8 * MiB, 5 * MiB)
    await put(modest, globex, 'small')
    await put(modest, globex, randomDocument(8 * MiB))
    const answered = hostile.filter((one) => one.received() > 0)
    expect(answered).not.toEqual([])
    const [first] = answered
    const answer = await first?.answer()
    expect(answer?.status).toBe(503)
    expect(JSON.parse(answer?.body.toString() ?? '')).toMatchObject({ code: 'busy' })
    expect(answer?.headers.get('retry-after')).not.toBe(null)
    for (const one of hostile) one.reset()
  })

  it('leave all memory free when they are gone', async () => {
    const whole = randomDocument(8 * MiB)
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, at) => modest(`${globex}-${at}`, { method: 'PUT', body: whole })),
    )
    expect(await Promise.all(answers.map(async (one) => (one.ok ? 'ok' : refusalOf(one))))).toEqual(
      answers.map(() => 'ok'),
    )
  })
})

describe('an upload of a version that is half sent', () => {
  it('keeps no other call about the version waiting, and ends as if it had come alone', async () => {
    const bytes = randomDocument(16 * MiB)
    const digest = digestOf(bytes)
    const headers = { 'content-length': String(bytes.length), 'repr-digest': reprDigestOf(bytes) }
    service.storeCalls.length = 0
    const slow = await begun('half', headers)
    await slow.send(bytes.subarray(0, 8 * MiB))
    await until(() => service.storeCalls.includes('put'))
    const call = await callerOf(service)
    const version = `snapshots/half/versions/${digest}`
    expect(await refusalOf(await call(version))).toBe('404 document_not_found')
    expect((await call(version, { method: 'HEAD' })).status).toBe(404)
    expect(await refusalOf(await call(version, { method: 'DELETE' }))).toBe('404 document_not_found')
    const ticket = { digest, size: bytes.length, contentType: 'application/x-test' }
    const asked = await call('snapshots/half/uploads', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ticket),
    })
    expect(asked.status).toBe(201)
    const same = await call('snapshots/half', {
      method: 'PUT',
      headers: { 'repr-digest': reprDigestOf(bytes) },
      body: bytes,
    })
    expect(same.status).toBe(201)
    await slow.send(bytes.subarray(8 * MiB))
    expect((await slow.answer()).status).toBe(200)
    expect(Buffer.compare(await (await call(version)).bytes(), bytes)).toBe(0)
  })
})
