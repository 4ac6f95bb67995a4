import { afterAll, afterEach, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { ownService } from '../../support/service/own-service.ts'
import { type RawExchange, rawRequest } from '../../support/service/raw-http.ts'
import { KiB, MiB, pathOf, randomDocument, reprDigestOf } from '../../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { inChunks } from '../../support/stores/bodies.ts'
import { keysOf, leftovers, startOpenStore } from '../../support/stores/store-contents.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const bytes = randomDocument(20 * MiB)

const disk = stoppedAfterTests(await startOpenStore())
const own = await ownService({ store: disk, documentBytesMax: 64 * MiB })
const { token } = own
let { service } = own

/** After every failure nothing is visible, no tag has moved, and nothing is left in the store. */
afterEach(async () => {
  expect(await keysOf(service.store, '')).toEqual([])
  // An upload in parts that was given up while it began is aborted once the store has answered.
  await until(async () => (await leftovers(disk, service.store)).length === 0)
})

/** Begins an upload on a raw socket. */
function begin(headers: Record<string, string>): Promise<RawExchange> {
  const path = pathOf('snapshots', 'unlucky')
  return rawRequest(service.url, {
    method: 'PUT',
    path,
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
}

const chunkedBody = { 'transfer-encoding': 'chunked' }
const withLength = (size: number) => ({ 'content-length': String(size) })
const withDigest = (size: number) => ({
  ...withLength(size),
  'repr-digest': reprDigestOf(bytes.subarray(0, size)),
})

function answeredRequests(): number {
  return service.logs().filter(({ event }) => event === 'request.answered').length
}

/** Runs `work`, then waits until the service has finished the one request that it made. */
async function untilAnswered(work: () => Promise<void>): Promise<void> {
  const before = answeredRequests()
  await work()
  await until(() => answeredRequests() !== before)
}

/** Bodies that stop half-way, one for each strategy of publishing. */
const halves = {
  async small() {
    const exchange = await begin(withDigest(500 * KiB))
    await exchange.send(bytes.subarray(0, 300 * KiB))
    return exchange
  },
  async smallInChunks() {
    const exchange = await begin(chunkedBody)
    await exchange.sendChunk(bytes.subarray(0, 300 * KiB))
    return exchange
  },
  /** Streams to its final key: the store has most of it by now. */
  async streamed() {
    const exchange = await begin(withDigest(6 * MiB))
    await exchange.send(bytes.subarray(0, 5 * MiB))
    await until(() => service.storeCalls.includes('put'))
    return exchange
  },
  /** The first parts are in staging by now. */
  async staged() {
    const exchange = await begin(withLength(30 * MiB))
    await exchange.send(bytes)
    await until(async () => (await disk.unfinished()).length > 0)
    return exchange
  },
  async stagedInChunks() {
    const exchange = await begin(chunkedBody)
    await exchange.sendChunk(bytes)
    await until(async () => (await disk.unfinished()).length > 0)
    return exchange
  },
}

async function half(begun: () => Promise<RawExchange>): Promise<RawExchange> {
  service.storeCalls.length = 0
  return begun()
}

describe('an upload that its client cuts off', () => {
  async function cutOff(begun: () => Promise<RawExchange>): Promise<void> {
    await untilAnswered(async () => (await half(begun)).end())
    await untilAnswered(async () => (await half(begun)).reset())
  }

  it('leaves nothing of a small body', () => cutOff(halves.small))

  it('leaves nothing of a small body in chunks', () => cutOff(halves.smallInChunks))

  it('leaves nothing of a body that streams to its key', () => cutOff(halves.streamed))

  it('leaves nothing of a body of known length that is staged', () => cutOff(halves.staged))

  it('leaves nothing of a body in chunks that is staged', () => cutOff(halves.stagedInChunks))
})

describe('an upload that stalls', () => {
  let patient: InProcessService

  beforeAll(async () => {
    patient = service
    service = await serviceInProcess({ uploadPace: { idleSecondsMax: 0.5 }, replicaOf: patient })
  })

  afterAll(async () => {
    await service.stop()
    service = patient
  })

  async function refusalOf(begun: () => Promise<RawExchange>) {
    const { status, body } = await (await half(begun)).answer()
    const { code, detail } = JSON.parse(body.toString())
    return { status, code, detail }
  }

  const givenUp = { status: 400, code: 'body_incomplete', detail: expect.stringContaining('0.5 seconds') }

  it('is aborted, for every strategy of publishing', async () => {
    expect(await refusalOf(halves.small)).toEqual(givenUp)
    expect(await refusalOf(halves.smallInChunks)).toEqual(givenUp)
    expect(await refusalOf(halves.streamed)).toEqual(givenUp)
    expect(await refusalOf(halves.staged)).toEqual(givenUp)
    expect(await refusalOf(halves.stagedInChunks)).toEqual(givenUp)
  })
})

describe('an upload that trickles', () => {
  let patient: InProcessService

  beforeAll(async () => {
    patient = service
    const uploadPace = { periodSeconds: 0.5, bytesPerSecondMin: 64 * KiB }
    service = await serviceInProcess({ uploadPace, replicaOf: patient })
  })

  afterAll(async () => {
    await service.stop()
    service = patient
  })

  /** Sends a byte from time to time, which is never silence. */
  async function refusalOf(begun: () => Promise<RawExchange>, send: (one: RawExchange) => Promise<void>) {
    const exchange = await half(begun)
    const trickle = setInterval(() => void send(exchange).catch(() => {}), 100)
    try {
      const { status, body } = await exchange.answer()
      const { code, detail } = JSON.parse(body.toString())
      return { status, code, detail }
    } finally {
      clearInterval(trickle)
    }
  }

  const aByte = new Uint8Array(1)
  const plain = (one: RawExchange) => one.send(aByte)
  const inChunk = (one: RawExchange) => one.sendChunk(aByte)
  const givenUp = { status: 400, code: 'body_incomplete', detail: expect.stringContaining('65536 bytes per') }

  it('is aborted, for every strategy of publishing', async () => {
    expect(await refusalOf(halves.small, plain)).toEqual(givenUp)
    expect(await refusalOf(halves.smallInChunks, inChunk)).toEqual(givenUp)
    expect(await refusalOf(halves.streamed, plain)).toEqual(givenUp)
    expect(await refusalOf(halves.staged, plain)).toEqual(givenUp)
    expect(await refusalOf(halves.stagedInChunks, inChunk)).toEqual(givenUp)
  })
})

describe('an upload whose bytes are not those of its Repr-Digest', () => {
  async function refusalOf(
    size: number,
    body: (bytes: Uint8Array<ArrayBuffer>) => BodyInit = (whole) => whole,
  ) {
    const wrong = bytes.slice(0, size)
    wrong[size - 1] = (wrong[size - 1] ?? 0) ^ 1
    const response = await fetch(`${service.url}${pathOf('snapshots', 'unlucky')}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${token}`,
        'repr-digest': reprDigestOf(bytes.subarray(0, size)),
      },
      body: body(wrong),
    })
    const { code, declared, found } = (await response.json()) as Record<string, unknown>
    return { status: response.status, code, differ: declared !== found }
  }

  const refused = { status: 422, code: 'digest_mismatch', differ: true }

  it('is refused when it is small', async () => {
    expect(await refusalOf(500 * KiB)).toEqual(refused)
    expect(await refusalOf(500 * KiB, inChunks)).toEqual(refused)
  })

  it('is refused when it streams to its key', async () => {
    expect(await refusalOf(6 * MiB)).toEqual(refused)
    expect(await refusalOf(20 * MiB)).toEqual(refused)
  })

  it('is refused when it is staged', async () => {
    service.storeCalls.length = 0
    expect(await refusalOf(9 * MiB, inChunks)).toEqual(refused)
    expect(await refusalOf(20 * MiB, inChunks)).toEqual(refused)
    expect(service.storeCalls.filter((call) => call === 'startMultipart')).toHaveLength(2)
  })
})
