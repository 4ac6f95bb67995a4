import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { callerOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { type RawExchange, rawRequest } from '../support/service/raw-http.ts'
import { KiB, MiB, pathOf, randomDocument } from '../support/service/sample-documents.ts'
import { sizeOf } from '../support/sizes.ts'
import { storeForTests } from '../support/stores/store.ts'

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

/** Begins an upload of tenant `acme` that announces `size` bytes and sends some of them, then nothing. */
async function halfSent(name: string, size: number, sent: number): Promise<RawExchange> {
  const exchange = await rawRequest(service.url, {
    method: 'PUT',
    path: pathOf('snapshots', name),
    headers: { authorization: `Bearer ${await service.token()}`, 'content-length': String(size) },
  })
  await exchange.send(randomDocument(sent))
  return exchange
}

async function crowd(size: number, sent: number): Promise<RawExchange[]> {
  return Promise.all(Array.from({ length: sockets }, (_, at) => halfSent(`hostile-${at}`, size, sent)))
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
