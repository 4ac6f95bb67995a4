import { versionKey } from '../../service/documents/document-key.ts'
import { inParallel } from '../../service/documents/in-order.ts'
import type { Digest } from '../../service/wire/names.ts'
import type { Comparison, Side } from './comparison.ts'
import type { Stage } from './stage.ts'
import { requestsOf, type WrkLoad } from './wrk.ts'

const documents = 100_000
const versionsOfEach = 3
const type = 'bench-list'
const limit = 1000

/** The first thousand of 300,000 versions; the store is asked for the same keys. */
export async function compareList(stage: Stage, connections: number): Promise<Comparison> {
  await fill(stage)
  const store = await storeListing(stage, connections)
  const service = serviceListing(stage, connections, `?type=${type}&limit=${limit}`)
  await requireRows({ store: [store, /<Contents>/g], service: [service, /"storedAt"/g] })
  return {
    operation: 'list',
    title: `list 1,000 of 300,000 versions, ${connections} connection${connections === 1 ? '' : 's'}`,
    unit: 'requests',
    sides: [storeSide(stage, store), serviceSide(stage, 'service', service)],
    // At most 1.2 times as long.
    targets: [{ side: 'service', than: 'store', rateMin: 1 / 1.2 }],
  }
}

/** The first thousand of 100,000 documents with three versions each; the store lists as many keys. */
export async function compareNames(stage: Stage, connections: number): Promise<Comparison> {
  await fill(stage)
  const store = await storeListing(stage, connections)
  const names = serviceListing(stage, connections, `/names?type=${type}&limit=${limit}`)
  await requireRows({ store: [store, /<Contents>/g], names: [names, /"name"/g] })
  return {
    operation: 'list',
    title: `names: 1,000 of 100,000, ${connections} connection${connections === 1 ? '' : 's'}`,
    unit: 'requests',
    sides: [storeSide(stage, store), serviceSide(stage, 'names', names)],
    // At most 1.3 times as long as one plain list call of as many keys.
    targets: [{ side: 'names', than: 'store', rateMin: 1 / 1.3 }],
  }
}

/** All types, compared with a list call of as many keys. */
export async function compareTypes(stage: Stage): Promise<Comparison> {
  await fill(stage)
  const types = serviceListing(stage, 1, `/types?limit=${limit}`)
  const count = (await rowsOf(types, /"type"/g)) ?? 0
  const store = await storeListing(stage, 1, count)
  await requireRows({ store: [store, /<Contents>/g], types: [types, /"type"/g] }, count)
  return {
    operation: 'list',
    title: `types: ${count}, of 300,000 versions, 1 connection`,
    unit: 'requests',
    sides: [storeSide(stage, store), serviceSide(stage, 'types', types)],
    targets: [{ side: 'types', than: 'store', rateMin: 1 / 1.3 }],
  }
}

type Listing = Omit<WrkLoad, 'seconds'>

async function storeListing(stage: Stage, connections: number, keys = limit): Promise<Listing> {
  const path = await stage.signedListPath(`tenants/acme/documents/${type}/`, keys)
  return { method: 'GET', connections, origin: stage.storeOrigin, paths: [path] }
}

function serviceListing(stage: Stage, connections: number, query: string): Listing {
  const paths = [`/v1/tenants/acme/documents${query}`]
  return { method: 'GET', connections, origin: stage.service.url, paths, token: stage.token }
}

function storeSide(stage: Stage, listing: Listing): Side {
  return { title: 'store', run: (seconds) => requestsOf({ ...listing, seconds }, stage.folder) }
}

function serviceSide(stage: Stage, title: string, listing: Listing): Side {
  const { pid } = stage.service.process
  return { title, pid, run: (seconds) => requestsOf({ ...listing, seconds }, stage.folder) }
}

/** @throws {Error} if one of the listings has another number of rows. */
async function requireRows(
  listings: Readonly<Record<string, [listing: Listing, each: RegExp]>>,
  expected = limit,
): Promise<void> {
  for (const [title, [listing, each]] of Object.entries(listings)) {
    const rows = await rowsOf(listing, each)
    if (rows !== expected) throw new Error(`the list of ${title} holds ${rows} rows instead of ${expected}`)
  }
}

/** How many rows one answer holds. */
async function rowsOf({ origin, paths: [path], token }: Listing, each: RegExp): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${origin}${path}`, token === undefined ? {} : { headers })
  const text = await response.text()
  if (!response.ok) throw new Error(`a list was answered with ${response.status}: ${text.slice(0, 500)}`)
  return text.match(each)?.length ?? 0
}

const filled = new WeakSet<Stage>()

async function fill(stage: Stage): Promise<void> {
  if (filled.has(stage)) return
  const names = Array.from({ length: documents }, (_, at) => `document-${String(at).padStart(6, '0')}`)
  await inParallel(names, 16, async (name) => {
    for (let version = 0; version < versionsOfEach; version += 1) {
      const digest: Digest = `sha256:${Bun.SHA256.hash(`${name} ${version}`, 'hex')}`
      const key = versionKey({ tenant: 'acme', type, name, digest })
      await stage.bucket.write(stage.fullKey(key), name)
    }
  })
  filled.add(stage)
}
