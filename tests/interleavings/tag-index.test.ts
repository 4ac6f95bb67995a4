import { describe, expect, it } from 'bun:test'
import { DocumentError } from '../../service/documents/document-error.ts'
import { parseTagRowKey, tagRowKey } from '../../service/documents/document-key.ts'
import type { Documents } from '../../service/documents/documents.ts'
import { scrub } from '../../service/documents/maintenance/scrub.ts'
import { sweep } from '../../service/documents/maintenance/sweeper.ts'
import { type ObjectStore, ObjectStoreError } from '../../service/object-store/object-store.ts'
import { recordFigure } from '../support/figures.ts'
import { type Random, randomOf, replayOf, seedOf } from '../support/seed.ts'
import { keysIn, MiB, replicaOn, uploadOf } from '../support/service/documents-under-test.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { sizeOf } from '../support/sizes.ts'
import { createMemoryObjectStore } from '../support/stores/memory-object-store.ts'

/** Lists of types, names and tags, compared with what reads of single documents say, over many documents of a tenant. */

const seeds = sizeOf({ test: 20, long: 1000, of: 'seeds' })
const firstSeed = seedOf(import.meta)

const tenant = 'acme'
const types = ['bundles', 'reports']
/** Names that begin alike. */
const names = ['a', 'a-b', 'a.b', 'b', 'c']
const tags = ['production', 'staging', 'constructor', '__proto__']
const contents = ['A', 'B', 'C']
const operationsPerSeed = 120
const hour = 60 * 60 * 1000

interface Ref {
  tenant: string
  type: string
  name: string
}

const refs: Ref[] = types.flatMap((type) => names.map((name) => ({ tenant, type, name })))

/** A store that loses writes, or their answers, and stops answering a replica that is killed. */
function faulty(store: ObjectStore, random: Random) {
  let isKilled = false
  const lost = (operation: string) => new ObjectStoreError('unavailable', operation, 'Lost')
  const methods = Object.entries(store).map(([method, real]) => [
    method,
    async (...args: unknown[]) => {
      if (isKilled) return new Promise(() => {})
      const isWrite = ['put', 'delete', 'deleteBefore'].includes(method)
      if (!isWrite || random.chance(0.93)) return real(...args)
      if (random.chance(0.3)) throw lost(method)
      const answer = await real(...args)
      if (random.chance(0.3)) {
        isKilled = true
        return new Promise(() => {})
      }
      if (random.chance(0.5)) throw lost(method)
      return answer
    },
  ])
  return { store: Object.fromEntries(methods) as ObjectStore, isKilled: () => isKilled }
}

async function unlessRefused(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof DocumentError) && !(error instanceof ObjectStoreError)) throw error
  }
}

function operation(documents: Documents, random: Random): Promise<unknown> {
  const ref = random.pick(refs)
  const content = random.pick(contents)
  const digest = digestOf(content)
  const tag = random.pick(tags)
  const kind = random.below(10)
  if (kind < 3) return documents.put(ref, uploadOf(Buffer.from(content)))
  if (kind < 7) return documents.putTag(ref, tag, { digest, by: 'alice' })
  if (kind < 9) return documents.deleteTag(ref, tag)
  return documents.deleteVersion({ ...ref, digest }, { by: 'alice' })
}

/** Does operations on two replicas, up to four at once, of which some lose calls and some are killed. */
async function live(store: ObjectStore, random: Random): Promise<void> {
  const start = () => {
    const ofOne = faulty(store, random)
    return { ...ofOne, documents: replicaOn(ofOne.store).documents }
  }
  const replicas = [start(), start()]
  for (let done = 0; done < operationsPerSeed; ) {
    const together = 1 + random.below(4)
    const running = Array.from({ length: together }, () => {
      const at = random.below(replicas.length)
      const { documents, isKilled } = replicas[at] as ReturnType<typeof start>
      // What a killed replica has begun never ends.
      return Promise.race([unlessRefused(operation(documents, random)), untilKilled(isKilled)])
    })
    await Promise.all(running)
    for (const [at, { isKilled }] of replicas.entries()) if (isKilled()) replicas[at] = start()
    done += together
  }
}

async function untilKilled(isKilled: () => boolean): Promise<void> {
  while (!isKilled()) await Bun.sleep(1)
}

/** What reads of single documents say: by `type tag`, the names that have it and where it points. */
async function truthOf(documents: Documents): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const ref of refs) {
    const all = await documents.tags(ref).catch(() => [])
    for (const { tag, digest } of all)
      if (tag !== 'latest') {
        const rows = found[`${ref.type} ${tag}`] ?? []
        found[`${ref.type} ${tag}`] = [...rows, `${ref.name} ${digest}`].sort()
      }
  }
  return found
}

/** What the lists by tag say, in pages of three. */
async function listed(documents: Documents): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const type of types)
    for (const tag of tags) {
      const rows: string[] = []
      for (let cursor: string | undefined; ; ) {
        const page = await documents.tagged({ tenant, type, tag, limit: 3, cursor })
        rows.push(...page.documents.map(({ name, digest }) => `${name} ${digest}`))
        if (page.nextCursor === null) break
        cursor = page.nextCursor
      }
      if (rows.length > 0) found[`${type} ${tag}`] = rows.sort()
    }
  return found
}

async function namesListed(documents: Documents): Promise<string[]> {
  const found: string[] = []
  for (const { type } of (await documents.types({ tenant, limit: 1000 })).types) {
    const page = await documents.names({ tenant, type, limit: 1000 })
    found.push(...page.names.map(({ name }) => `${type} ${name}`))
  }
  return found.sort()
}

/** Removes rows, adds others, and takes the names of rows out of records, as no version of the service does. */
async function plantDrift(store: ObjectStore, random: Random): Promise<void> {
  for (const key of await keysIn(store)) {
    if (parseTagRowKey(key) && random.chance(0.3)) await store.delete(key)
    if (!key.includes('/records/') || random.chance(0.6)) continue
    const record = JSON.parse(await new Response((await store.get(key))?.body).text())
    for (const tag of Object.keys(record.tags)) if (random.chance(0.5)) delete record.tags[tag].row
    const bytes = Buffer.from(JSON.stringify({ ...record, revision: record.revision + 1 }))
    await store.put(key, bytes, { size: bytes.length, contentType: 'application/json' })
  }
  for (const ref of refs) {
    if (random.chance(0.5)) continue
    const row = tagRowKey({ ...ref, tag: random.pick(tags) }, `planted${random.below(100)}`)
    await store.put(row, new Uint8Array(), { size: 0, contentType: 'text/plain' })
  }
}

async function repair(store: ObjectStore): Promise<void> {
  for await (const _ of scrub(store, { bytesPerSecondMax: 1024 * MiB, repair: true }));
}

async function trySeed(seed: number): Promise<void> {
  const random = randomOf(seed)
  const clock = { now: Date.parse('2026-03-01T00:00:00Z') }
  const store = createMemoryObjectStore({ now: () => new Date(clock.now) })
  await live(store, random)
  // Deletions that were given up are ended, by a sweep when none can act any more.
  for (const _ of [1, 2]) {
    clock.now += hour
    await sweep(store)
  }
  const { documents } = replicaOn(store)
  const truth = await truthOf(documents)
  expect(await listed(documents)).toEqual(truth)
  const there = refs.map(async (ref) => {
    const { documents: versions } = await documents.list({ ...ref, limit: 1 })
    return versions.length > 0 ? [`${ref.type} ${ref.name}`] : []
  })
  expect(await namesListed(documents)).toEqual((await Promise.all(there)).flat().sort())

  await plantDrift(store, random)
  // A row that is lost may be missed, and nothing else is ever shown.
  for (const [of, rows] of Object.entries(await listed(replicaOn(store).documents)))
    expect(truth[of] ?? []).toEqual(expect.arrayContaining(rows))
  clock.now += hour
  await repair(store)
  const { documents: repaired } = replicaOn(store)
  expect(await listed(repaired)).toEqual(truth)
  expect(await truthOf(repaired)).toEqual(truth)
  const named = Object.values(truth).flat().length
  expect((await keysIn(store)).filter((key) => parseTagRowKey(key))).toHaveLength(named)
}

describe('lists of types, of names and by tag', () => {
  it('say what reads of single documents say, after kills and lost calls, and again once drift is repaired', async () => {
    for (let at = 0; at < seeds; at += 1) {
      const seed = (firstSeed + at) % 2 ** 32
      try {
        await trySeed(seed)
      } catch (error) {
        const replay = replayOf(import.meta, { seed, size: 1 })
        throw new Error(`to repeat it: ${replay}`, { cause: error })
      }
    }
    recordFigure('interleavings', { name: 'seeds of the index of tags', value: seeds, unit: '' })
  }, 0)
})
