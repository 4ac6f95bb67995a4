import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { StoreCapabilities } from '../../../service/object-store/store-capabilities.ts'
import { digestOf, KiB, keyOf, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { contentType, type TicketCalls, ticketCalls } from '../../support/service/ticket-calls.ts'
import type { Ticket } from '../../support/service/ticket-upload.ts'
import { probedCapabilities } from '../../support/stores/probed-capabilities.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { keysOf, stagedKeys } from '../../support/stores/store-contents.ts'

setDefaultTimeout(600_000)

/** Two replicas with the same capabilities of the store. */
interface Replicas {
  one: InProcessService
  other: InProcessService
  calls: readonly [TicketCalls, TicketCalls]
}

const capabilities = await probedCapabilities(await storeForTests())
const asProbed = await replicas(capabilities)
const streaming = await replicas({ ...capabilities, digestEnforced: false }, asProbed.one)

afterAll(async () => {
  await streaming?.other.stop()
  await streaming?.one.stop()
  await asProbed.other.stop()
  await asProbed.one.stop()
})

async function replicas(capabilities: StoreCapabilities, replicaOf?: InProcessService): Promise<Replicas> {
  const one = await serviceInProcess({ capabilities, ...(replicaOf ? { replicaOf } : {}) })
  const other = await serviceInProcess({ capabilities, replicaOf: one })
  return { one, other, calls: [await ticketCalls(one), await ticketCalls(other)] }
}

function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer
  await response.body?.cancel()
  return response.status
}

function versionsOf(name: string): Promise<string[]> {
  return keysOf(asProbed.one.store, `tenants/acme/documents/bundles/${name}/`)
}

function stored(name: string, bytes: Uint8Array) {
  return storedUnder(asProbed.one.store, keyOf('bundles', name, digestOf(bytes)))
}

/** 32 at once, in turn on the first and the second of `calls`. */
async function race(name: string, ticket: Ticket, calls: readonly [TicketCalls, TicketCalls]) {
  return times(32, (index) => statusOf((index % 2 === 0 ? calls[0] : calls[1]).complete(name, ticket)))
}

describe('32 racing completions of one upload', () => {
  async function makeOneObject(name: string, calls: readonly [TicketCalls, TicketCalls]): Promise<void> {
    const bytes = randomDocument(200 * KiB)
    const ticket = await calls[0].uploaded(name, bytes)
    const statuses = await race(name, ticket, calls)
    expect(statuses.filter((status) => status !== 201 && status !== 200)).toEqual([])
    expect(statuses).toContain(201)
    expect(await versionsOf(name)).toEqual([keyOf('bundles', name, digestOf(bytes))])
    expect(await stored(name, bytes)).toEqual({ digest: digestOf(bytes), size: bytes.length })
  }

  it('make one object and 32 good answers, on one replica', async () => {
    const [probed] = asProbed.calls
    await makeOneObject('one-probed', [probed, probed])
    const [streamed] = streaming.calls
    await makeOneObject('one-streaming', [streamed, streamed])
  })

  it('make one object and 32 good answers, on two replicas, repeatedly', async () => {
    for (let round = 0; round < 5; round += 1) {
      await makeOneObject(`two-probed-${round}`, asProbed.calls)
      await makeOneObject(`two-streaming-${round}`, streaming.calls)
    }
  })
})

describe('racing completions of the same bytes by many subjects', () => {
  it('make one object with one first writer, and every answer names it', async () => {
    const bytes = randomDocument(20 * KiB)
    const subjects = await times(8, async (index) => {
      const token = await asProbed.one.token({ sub: `subject-${index}` })
      const calls = await ticketCalls(asProbed.one, token)
      return { calls, ticket: await calls.uploaded('subjects', bytes) }
    })
    const answers = await Promise.all(
      subjects.map(async ({ calls, ticket }) => {
        const response = await calls.complete('subjects', ticket)
        const { createdBy } = (await response.json()) as { createdBy: string }
        return { status: response.status, createdBy }
      }),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7)
    expect(new Set(answers.map(({ createdBy }) => createdBy)).size).toBe(1)
    expect(await versionsOf('subjects')).toHaveLength(1)
    expect(await stagedKeys(asProbed.one.store)).toEqual([])
  })
})

describe('a completion while the staged bytes are rewritten all the time', () => {
  it('never publishes other bytes than those of the digest, and refuses them', async () => {
    const { store } = streaming.one
    const [alice, other] = streaming.calls
    const seen = new Map<number, number>()
    const wrong: string[] = []
    for (let round = 0; round < 24; round += 1) {
      const name = `rewritten-${round}`
      const good = randomDocument(300 * KiB)
      const bad = randomDocument(300 * KiB)
      const ticket = await alice.uploaded(name, good)
      let over = false
      const rewriting = (async () => {
        for (let turn = 0; !over; turn += 1) {
          const bytes = (turn + round) % 2 === 0 ? bad : good
          await store.put(`staging/acme/${ticket.id}`, bytes, { size: bytes.length, contentType })
          await Bun.sleep((turn * 7) % 13)
        }
      })()
      for (let attempt = 0; attempt < 6; attempt += 1) {
        const calls = attempt % 2 === 0 ? alice : other
        const status = await statusOf(calls.complete(name, ticket))
        seen.set(status, (seen.get(status) ?? 0) + 1)
      }
      over = true
      await rewriting
      const found = await stored(name, good)
      if (found !== null && found.digest !== digestOf(good)) wrong.push(name)
      if ((await versionsOf(name)).length > 1) wrong.push(name)
    }
    expect(wrong).toEqual([])
    expect([...seen.keys()].filter((status) => ![200, 201, 404, 409, 422].includes(status))).toEqual([])
    // Otherwise there was no race: good bytes were published, and bad ones were met.
    expect(seen.get(201)).toBeGreaterThan(0)
    expect((seen.get(409) ?? 0) + (seen.get(422) ?? 0)).toBeGreaterThan(0)
  })
})

describe('a delete that races with completions', () => {
  /** What a completion, a delete of its version as soon as that is there, and a repetition come to. */
  async function race(replicas: Replicas, name: string): Promise<string> {
    const [alice, other] = replicas.calls
    const bytes = randomDocument(KiB)
    const ticket = await alice.uploaded(name, bytes)
    const path = `bundles/${name}/versions/${digestOf(bytes)}`
    const deleting = (async () => {
      for (;;) {
        const status = await statusOf(alice.call(path, { method: 'DELETE' }))
        if (status !== 404) return status
      }
    })()
    const completing = statusOf(alice.complete(name, ticket))
    const statuses = [await completing, await deleting]
    statuses.push(await statusOf(other.complete(name, ticket)))
    const latest = await statusOf(alice.call(`bundles/${name}/tags/latest`))
    return `${statuses}: ${(await versionsOf(name)).length} version, latest ${latest}`
  }

  const fine = [
    // Deleted after it was acknowledged: the repetition does not bring it back.
    '201,204,409: 0 version, latest 404',
    '200,204,409: 0 version, latest 404',
    // Deleted before: by the time of the acknowledgement it was there again, or the completion gave up.
    '201,204,200: 1 version, latest 200',
    '200,204,200: 1 version, latest 200',
    '409,204,409: 0 version, latest 404',
  ]

  it('comes before or after them: latest never dangles, and no repetition brings a version back', async () => {
    const wrong: string[] = []
    for (let round = 0; round < 30; round += 1) {
      const probed = await race(asProbed, `deleted-probed-${round}`)
      const streamed = await race(streaming, `deleted-streaming-${round}`)
      wrong.push(...[probed, streamed].filter((outcome) => !fine.includes(outcome)))
    }
    expect(wrong).toEqual([])
  })
})
