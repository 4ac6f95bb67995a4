import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { sweep } from '../../../service/documents/maintenance/sweeper.ts'
import { type ObjectStore, ObjectStoreError } from '../../../service/object-store/object-store.ts'
import { jsonOf, refusalOf } from '../../support/service/caller.ts'
import { rawRequest } from '../../support/service/raw-http.ts'
import {
  digestOf,
  KiB,
  keyOf,
  MiB,
  pathOf,
  randomDocument,
  storedUnder,
} from '../../support/service/sample-documents.ts'
import { serviceInProcess } from '../../support/service/service-for-tests.ts'
import { ticketCalls } from '../../support/service/ticket-calls.ts'
import { formAround } from '../../support/service/ticket-upload.ts'
import { probedCapabilities } from '../../support/stores/probed-capabilities.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

/** Holds a service back when it begins to publish, until the gate opens. */
interface Gate {
  reached: Promise<void>
  open(): void
  /** Makes the call to the store fail. */
  fail(error: ObjectStoreError): void
}

const gates: ReturnType<typeof Promise.withResolvers<void>>[] = []
let reached = Promise.withResolvers<void>()

/** The next promotion waits: by copy, or by reading what is staged. */
function nextGate(): Gate {
  const gate = Promise.withResolvers<void>()
  gates.push(gate)
  reached = Promise.withResolvers<void>()
  return { reached: reached.promise, open: () => gate.resolve(), fail: gate.reject }
}

async function pass(): Promise<void> {
  const gate = gates.shift()
  if (!gate) return
  reached.resolve()
  await gate.promise
}

function gated(store: ObjectStore): ObjectStore {
  return {
    ...store,
    async copyAbsent(from, to, options) {
      await pass()
      return store.copyAbsent(from, to, options)
    },
    async get(key, options) {
      const object = await store.get(key, options)
      // After it was opened: in the middle of the promotion.
      if (key.startsWith('staging/') && !key.endsWith('.lease')) await pass()
      return object
    },
  }
}

const capabilities = await probedCapabilities(await storeForTests())
const first = await serviceInProcess({ capabilities, decorate: gated, completionWaitSecondsMax: 0.2 })

afterAll(async () => {
  for (const gate of gates) gate.resolve()
  await first.stop()
})

/** Asks until the answer is not "in progress" any more, which on a busy machine any completion may be for a while. */
async function awaited(ask: () => Promise<Response>): Promise<Response> {
  for (;;) {
    const response = await ask()
    if (response.status !== 202) return response
  }
}

function answeredRequests(): number {
  return first.logs().filter(({ event }) => event === 'request.answered').length
}

function stored(name: string, bytes: Uint8Array) {
  return storedUnder(first.store, keyOf('bundles', name, digestOf(bytes)))
}

describe('a completion that takes a long time', () => {
  it('is answered 202 with a time to come back, until the result is there', async () => {
    const bytes = randomDocument(KiB)
    const alice = await ticketCalls(first)
    const ticket = await alice.uploaded('slow', bytes)
    const gate = nextGate()
    const early = await alice.complete('slow', ticket)
    expect(early.status).toBe(202)
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(early.headers.get('cache-control')).toBe('no-store')
    expect(await early.text()).toBe('')
    expect((await alice.complete('slow', ticket)).status).toBe(202)
    expect(await stored('slow', bytes)).toBeNull()
    gate.open()
    const late = await awaited(() => alice.complete('slow', ticket))
    expect(late.status).toBe(201)
    expect(await jsonOf(late)).toMatchObject({ digest: digestOf(bytes), tags: ['latest'] })
    expect((await awaited(() => alice.complete('slow', ticket))).status).toBe(200)
  })

  it('can be tried again after it has failed', async () => {
    const alice = await ticketCalls(first)
    const ticket = await alice.uploaded('failed', randomDocument(KiB))
    const gate = nextGate()
    expect((await alice.complete('failed', ticket)).status).toBe(202)
    await gate.reached
    gate.fail(new ObjectStoreError('rejected', 'copy', 'Broken'))
    // A client that comes back before it has ended joins it, and learns of the failure.
    const statuses = [(await awaited(() => alice.complete('failed', ticket))).status]
    if (statuses[0] === 502) statuses.push((await awaited(() => alice.complete('failed', ticket))).status)
    expect(statuses.at(-1)).toBe(201)
  })

  it('is done once for all clients that wait for it', async () => {
    const alice = await ticketCalls(first)
    const ticket = await alice.uploaded('joined', randomDocument(KiB))
    const gate = nextGate()
    first.storeCalls.length = 0
    const waiting = [alice.complete('joined', ticket), alice.complete('joined', ticket)]
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([202, 202])
    expect(first.storeCalls.filter((call) => call === 'head')).toHaveLength(2)
    gate.open()
    expect((await awaited(() => alice.complete('joined', ticket))).status).toBe(201)
  })

  it('continues when its client disconnects', async () => {
    const bytes = randomDocument(KiB)
    const alice = await ticketCalls(first)
    const ticket = await alice.uploaded('left', bytes)
    const gate = nextGate()
    const body = JSON.stringify({ ticket: ticket.ticket })
    const leaving = await rawRequest(first.url, {
      method: 'POST',
      path: `${pathOf('bundles', 'left')}/uploads/${ticket.id}/complete`,
      headers: {
        authorization: `Bearer ${await first.token()}`,
        'content-type': 'application/json',
        'content-length': String(body.length),
      },
    })
    await leaving.send(Buffer.from(body))
    await gate.reached
    const before = answeredRequests()
    leaving.reset()
    await until(() => answeredRequests() > before)
    gate.open()
    await until(async () => (await stored('left', bytes)) !== null)
    expect((await awaited(() => alice.complete('left', ticket))).status).toBeOneOf([200, 201])
  })

  it('does not keep completions of other documents waiting', async () => {
    const alice = await ticketCalls(first)
    const [slow, quick] = [randomDocument(KiB), randomDocument(KiB)]
    const slowTicket = await alice.uploaded('slow-one', slow)
    const quickTicket = await alice.uploaded('quick-one', quick)
    const gate = nextGate()
    expect((await alice.complete('slow-one', slowTicket)).status).toBe(202)
    await gate.reached
    expect((await awaited(() => alice.complete('quick-one', quickTicket))).status).toBe(201)
    gate.open()
    expect((await awaited(() => alice.complete('slow-one', slowTicket))).status).toBe(201)
  })
})

describe('the sweeper', () => {
  it('does not touch an upload by ticket that is being promoted', async () => {
    const bytes = randomDocument(KiB)
    const alice = await ticketCalls(first)
    const ticket = await alice.uploaded('swept', bytes)
    expect(await sweep(first.store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
    const gate = nextGate()
    expect((await alice.complete('swept', ticket)).status).toBe(202)
    await gate.reached
    expect(await sweep(first.store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
    gate.open()
    expect((await awaited(() => alice.complete('swept', ticket))).status).toBe(201)
    expect(await stored('swept', bytes)).toEqual({ digest: digestOf(bytes), size: KiB })
  })

  it('does not touch an upload by ticket while its bytes arrive', async () => {
    const bytes = randomDocument(6 * MiB)
    const alice = await ticketCalls(first)
    const ticket = await alice.ticketFor('arriving', bytes)
    const { pathname, search, origin } = new URL(ticket.url)
    const form = ticket.method === 'POST' ? formAround(ticket.fields) : null
    const around = form ? form.before.length + form.after.length : 0
    const given = ticket.method === 'PUT' ? ticket.headers : { 'content-type': form?.contentType ?? '' }
    const exchange = await rawRequest(origin, {
      method: ticket.method,
      path: `${pathname}${search}`,
      headers: { ...given, 'content-length': String(bytes.length + around) },
    })
    if (form) await exchange.send(form.before)
    await exchange.send(bytes.subarray(0, 3 * MiB))
    await sweep(first.store)
    await exchange.send(bytes.subarray(3 * MiB))
    if (form) await exchange.send(form.after)
    expect((await exchange.answer()).status).toBeOneOf([200, 204])
    expect((await awaited(() => alice.complete('arriving', ticket))).status).toBe(201)
  })

  it('does not touch a streamed upload while it is staged in parts and promoted', async () => {
    const bytes = randomDocument(20 * MiB)
    const token = await first.token()
    const exchange = await rawRequest(first.url, {
      method: 'PUT',
      path: pathOf('bundles', 'parts'),
      headers: { authorization: `Bearer ${token}`, 'content-length': String(bytes.length) },
    })
    first.storeCalls.length = 0
    await exchange.send(bytes.subarray(0, 18 * MiB))
    // The first part is on its way.
    await until(() => first.storeCalls.includes('startMultipart'))
    expect(await sweep(first.store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
    const gate = nextGate()
    await exchange.send(bytes.subarray(18 * MiB))
    await gate.reached
    expect(await sweep(first.store)).toMatchObject({ stagedRemoved: 0, uploadsAborted: 0 })
    gate.open()
    expect((await exchange.answer()).status).toBe(201)
    expect(await stored('parts', bytes)).toEqual({ digest: digestOf(bytes), size: bytes.length })
  })

  it('removes an upload by ticket that was not completed for a day', async () => {
    const alice = await ticketCalls(first)
    const ticket = await alice.uploaded('forgotten', randomDocument(KiB))
    const tomorrow: ObjectStore = {
      ...first.store,
      clock: async (options) => new Date((await first.store.clock(options)).getTime() + 25 * 3600 * 1000),
    }
    expect((await sweep(tomorrow)).stagedRemoved).toBeGreaterThan(0)
    expect(await first.store.head(`staging/acme/${ticket.id}`)).toBeNull()
    expect(await refusalOf(await awaited(() => alice.complete('forgotten', ticket)))).toBe(
      '404 upload_not_found',
    )
  })
})
