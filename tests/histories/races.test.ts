import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { startScript, variablesOf } from '../support/commands/script-run.ts'
import { type Flaw, raceOften } from '../support/histories/races.ts'
import { startReplicas } from '../support/histories/replicas.ts'
import { keepPrinted } from '../support/printed.ts'
import { type Caller, jsonOf, put } from '../support/service/caller.ts'
import { probed } from '../support/service/probed.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { sendTicket, type Ticket } from '../support/service/ticket-upload.ts'
import { sizeOf } from '../support/sizes.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { forEachParallel } from '../support/stores/bodies.ts'
import { nextStoreSecond, until } from '../support/waiting.ts'

/**
 * Requests for one document that meet on several replicas, at the times at which they meet by themselves. The replicas
 * are at different distances from the store, so that each call of one can fall between any two of another.
 */

setDefaultTimeout(3_600_000)

const rounds = sizeOf({ test: 60, long: 3000, of: 'rounds of each race' })
const replicas = stoppedAfterTests(await startReplicas(3))
const [near, far, farther] = replicas.all as [Replica, Replica, Replica]
type Replica = (typeof replicas.all)[number]
await farAway(far, 3)
await farAway(farther, 8)
// Tickets, and whatever rests on what the store can do, wait for the probe.
await Promise.all(replicas.all.map(({ service }) => probed(service())))

/** Puts a replica this many milliseconds away from the store, give or take as many. */
async function farAway({ proxy }: Replica, milliseconds: number): Promise<void> {
  const attributes = { latency: milliseconds, jitter: milliseconds }
  await proxy.addToxic({ type: 'latency', stream: 'upstream', attributes })
}

/** Three replicas in an order that changes from round to round. */
function turned(at: number): [Caller, Caller, Caller] {
  const all = [near.call, far.call, farther.call]
  return [all[at % 3], all[(at + 1) % 3], all[(at + 2) % 3]] as [Caller, Caller, Caller]
}

const [keep, contested] = ['kept', 'contested']

/** A document of two versions, of which `latest` is the kept one. */
async function twoVersions(name: string): Promise<void> {
  await put(near.call, name, contested)
  await put(near.call, name, keep)
}

/** Resolves as soon as the contested version can be read. */
async function visible(call: Caller, name: string): Promise<void> {
  await until(async () => (await call(`${name}/versions/${digestOf(contested)}`, { method: 'HEAD' })).ok)
}

function remove(call: Caller, name: string, bytes = contested): Promise<Response> {
  return call(`${name}/versions/${digestOf(bytes)}`, { method: 'DELETE' })
}

function moveTag(call: Caller, name: string, tag: string, bytes = contested): Promise<Response> {
  return call(`${name}/tags/${tag}`, { method: 'PUT', ...jsonBody({ digest: digestOf(bytes) }) })
}

/**
 * Removes all versions of a type but the newest and the latest of each document, from far away.
 *
 * @param onAudit receives the name of each document when a version of it is about to be removed.
 */
async function retain(of: string, onAudit: (name: string) => void): Promise<void> {
  const rule = ['--type', of, '--keep-days', '0', '--keep-newest', '1', '--tenant', 'acme', '--apply']
  const place = { ...replicas.outside.owner, endpoint: `http://${farther.proxy.host}` }
  const child = startScript('retain', [...rule, '--json'], variablesOf(place))
  for await (const line of linesIn(child.stdout)) {
    keepPrinted('retain', `${line}\n`)
    const { action, name } = JSON.parse(line) as { action?: string; name: string }
    if (action === 'version.delete') onAudit(name)
  }
  expect([await new Response(child.stderr).text(), await child.exited]).toEqual(['', 0])
}

async function* linesIn(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** Sends the bytes with a ticket, and leaves the completion to the caller. */
async function uploaded(name: string, text: string): Promise<(call: Caller) => Promise<Response>> {
  const bytes = new TextEncoder().encode(text)
  const asked = { digest: digestOf(bytes), size: bytes.length, contentType: 'text/plain' }
  const answer = await near.call(`${name}/uploads`, { method: 'POST', ...jsonBody(asked) })
  if (answer.status !== 201) throw new Error(`no ticket: ${answer.status} ${await answer.text()}`)
  const ticket = (await jsonOf(answer)) as unknown as Ticket
  const sent = await sendTicket(ticket, bytes)
  if (!sent.ok) throw new Error(`the store refused the upload: ${sent.status}`)
  return (call) =>
    call(`${name}/uploads/${ticket.id}/complete`, { method: 'POST', ...jsonBody({ ticket: ticket.ticket }) })
}

/** What a document that always has a version must show once everything is answered. */
async function flawAtRest(name: string): Promise<Flaw> {
  const found = await near.call(name)
  if (found.status !== 200) return `GET of the document: ${found.status}`
  const text = await found.text()
  return text === keep || text === contested ? null : `GET of the document: ${text}`
}

const type = (name: string) => `races/${name}`

describe('a document of which one version is deleted', () => {
  it.each([
    ['once', 'upload, delete', [farther]],
    ['twice', 'upload, upload, delete', [farther, far]],
  ])('keeps a latest that is there while that version is uploaded elsewhere %s', async (_how, what, from) => {
    const flaws = await raceOften(what, rounds, async (own) => {
      const name = type(own)
      await put(near.call, name, keep)
      const uploading = from.map(({ call }) => call(name, { method: 'PUT', body: contested }))
      await visible(near.call, name)
      await Promise.all([...uploading, remove(near.call, name)])
      return flawAtRest(name)
    })
    expect(flaws).toEqual({})
  })

  it('keeps a latest that is there while latest is moved to that version', async () => {
    const flaws = await raceOften('latest moved by hand, delete', rounds, async (own, at) => {
      const [name, [one, other]] = [type(own), turned(at)]
      await twoVersions(name)
      await Promise.all([moveTag(one, name, 'latest'), remove(other, name)])
      return flawAtRest(name)
    })
    expect(flaws).toEqual({})
  })

  it('keeps a latest that is there while an upload of that version by ticket is completed', async () => {
    const flaws = await raceOften('completion, delete', rounds, async (own) => {
      const name = type(own)
      await put(near.call, name, keep)
      const completing = (await uploaded(name, contested))(farther.call)
      await visible(near.call, name)
      await Promise.all([completing, remove(near.call, name)])
      return flawAtRest(name)
    })
    expect(flaws).toEqual({})
  })

  it('never leaves a tag that was set at the same moment without its version', async () => {
    const flaws = await raceOften('tag, delete', rounds, async (own, at) => {
      const [name, [one, other]] = [type(own), turned(at)]
      await twoVersions(name)
      const [tagged, removed] = await Promise.all([moveTag(one, name, 'production'), remove(other, name)])
      return tagged.ok && removed.ok ? `${tagged.status} for the tag, ${removed.status} for the delete` : null
    })
    expect(flaws).toEqual({})
  })

  it('is found by every GET of the document while it has another version', async () => {
    const missed: Record<string, number> = {}
    let reads = 0
    const flaws = await raceOften('reads, uploads, deletes', Math.ceil(rounds / 20), async (own) => {
      const name = type(own)
      let over = false
      await put(near.call, name, 'version 0')
      // A reader that is far away looks for the version some time after it has read which one is the latest.
      const readers = [near, far, far, farther, farther, farther].map(async ({ call }) => {
        while (!over) {
          const { status } = await call(name)
          reads += 1
          if (status !== 200) missed[status] = (missed[status] ?? 0) + 1
        }
      })
      for (let version = 1; version <= 30; version += 1) {
        await put(near.call, name, `version ${version}`)
        await remove(near.call, name, `version ${version - 1}`)
      }
      over = true
      await Promise.all(readers)
      return null
    })
    console.log(`${reads} reads, not found: ${JSON.stringify(missed)}`)
    expect({ flaws, missed }).toEqual({ flaws: {}, missed: {} })
  })
})

describe('a version that is uploaded again while a retention rule removes it', () => {
  it('is never lost once the upload is acknowledged', async () => {
    const of = `retained-${crypto.randomUUID().slice(0, 8)}`
    const names = Array.from({ length: rounds }, (_, at) => `document-${at}`)
    const putAll = (text: string) =>
      forEachParallel(names, 6, async (name) => {
        await put(near.call, `${of}/${name}`, text)
      })
    // The contested version is the older one: stores keep the time of an object to the second.
    await putAll(contested)
    await nextStoreSecond()
    await putAll(keep)
    await nextStoreSecond()
    const acknowledged: string[] = []
    const uploads: Promise<void>[] = []
    const uploadAgain = async (name: string) => {
      // So that in some round the upload meets each part of the removal.
      await Bun.sleep(4 * (uploads.length % 10))
      if ((await near.call(`${of}/${name}`, { method: 'PUT', body: contested })).ok) acknowledged.push(name)
    }
    await retain(of, (name) => uploads.push(uploadAgain(name)))
    await Promise.all(uploads)
    // Any version that the rule has removed after this one was acknowledged is the other one.
    const found: Record<string, number> = {}
    await forEachParallel(acknowledged, 6, async (name) => {
      const address = `${of}/${name}/versions/${digestOf(contested)}`
      const { status } = await near.call(address, { method: 'HEAD' })
      found[status] = (found[status] ?? 0) + 1
    })
    console.log(
      `retention, upload: found ${JSON.stringify(found)} of ${acknowledged.length} acknowledged in ${rounds} rounds`,
    )
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(found).toEqual({ 200: acknowledged.length })
  })
})

describe('latest', () => {
  /** A PUT that is under way: its body ends only with `finish`. */
  async function begunPut(name: string, text: string) {
    const rest = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const bytes = new TextEncoder().encode(text)
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(bytes.slice(0, 1))
        begun.resolve()
        await rest.promise
        controller.enqueue(bytes.slice(1))
        controller.close()
      },
    })
    const answer = farther.call(name, { method: 'PUT', body })
    await begun.promise
    return async () => {
      rest.resolve()
      expect((await answer).status).toBe(201)
    }
  }

  /** An upload by ticket of which only the completion is left. */
  async function begunTicket(name: string, text: string) {
    const complete = await uploaded(name, text)
    return async () => {
      expect((await complete(farther.call)).status).toBe(201)
    }
  }

  const latestOf = async (name: string) => (await near.call(name)).text()

  it.each([
    ['through the service', begunPut],
    ['by ticket', begunTicket],
  ])(
    'is the version that was acknowledged last, and after a delete the one before it: %s',
    async (_how, begin) => {
      const name = type(crypto.randomUUID())
      const finishFirst = await begin(name, 'first')
      await put(near.call, name, 'second')
      const finishThird = await begin(name, 'third')
      await finishThird()
      await finishFirst()
      const seen = [await latestOf(name)]
      await remove(far.call, name, 'first')
      seen.push(await latestOf(name))
      await remove(far.call, name, 'third')
      seen.push(await latestOf(name))
      expect(seen).toEqual(['first', 'third', 'second'])
    },
  )

  it('falls back to the version that was uploaded again last, not to the newest one', async () => {
    const name = type(crypto.randomUUID())
    for (const text of ['A', 'B', 'A', 'C']) await put(near.call, name, text)
    await remove(far.call, name, 'C')
    expect(await latestOf(name)).toBe('A')
  })
})

describe('an upload by ticket that is completed on two replicas', () => {
  it('is new at most once, and stays deleted after a delete in between', async () => {
    const flaws = await raceOften('completion, completion, delete', rounds, async (own, at) => {
      const [name, [one, other, third]] = [type(own), turned(at)]
      const version = `${name}/versions/${digestOf(contested)}`
      await put(near.call, name, keep)
      const complete = await uploaded(name, contested)
      const completing = [complete(one), complete(other)]
      // Once one of them is acknowledged, the version that is deleted is the one that the other must not bring back.
      await Promise.any(completing.map(async (answer) => expect((await answer).status).toBe(201)))
      const removed = await remove(third, name)
      const completed = (await Promise.all(completing)).map(({ status }) => status)
      const after = await third(version, { method: 'HEAD' })
      if (completed.filter((status) => status === 201).length > 1) return '201 for both completions'
      if (removed.status === 204 && after.ok) return `there after its delete, completions: ${completed}`
      return flawAtRest(name)
    })
    expect(flaws).toEqual({})
  })
})
