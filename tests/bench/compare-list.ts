import { versionKey } from '../../service/documents/document-key.ts'
import { inParallel } from '../../service/documents/in-order.ts'
import type { Comparison } from './comparison.ts'
import type { Stage } from './stage.ts'
import { requestsOf, type WrkLoad } from './wrk.ts'

const keys = 100_000
const limit = 1000

/** The first thousand of 100,000 documents; the store is asked for the same keys. */
export async function compareList(stage: Stage, connections: number): Promise<Comparison> {
  await fill(stage)
  const storePath = await stage.signedListPath('tenants/acme/documents/bench-list/', limit)
  const servicePath = `/v1/tenants/acme/documents?type=bench-list&limit=${limit}`
  const load = { method: 'GET', connections } as const
  const store = { ...load, origin: stage.storeOrigin, paths: [storePath] }
  const service = { ...load, origin: stage.service.url, paths: [servicePath], token: stage.token }

  const found = [await listedBy(store, /<Contents>/g), await listedBy(service, /"storedAt"/g)]
  if (found.some((count) => count !== limit)) throw new Error(`the lists hold ${found.join(' and ')} keys`)

  const workOf = (side: Omit<WrkLoad, 'seconds'>) => (seconds: number) =>
    requestsOf({ ...side, seconds }, stage.folder)
  return {
    operation: 'list',
    title: `list 1,000 of 100,000, ${connections} connection${connections === 1 ? '' : 's'}`,
    unit: 'requests',
    sides: [
      { title: 'store', run: workOf(store) },
      { title: 'service', pid: stage.service.process.pid, run: workOf(service) },
    ],
    // At most 1.2 times as long.
    targets: [{ side: 'service', than: 'store', rateMin: 1 / 1.2 }],
  }
}

/** How many keys one answer holds. */
async function listedBy(
  { origin, paths: [path], token }: Pick<WrkLoad, 'origin' | 'paths' | 'token'>,
  each: RegExp,
): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${origin}${path}`, token === undefined ? {} : { headers })
  const text = await response.text()
  if (!response.ok) throw new Error(`a list was answered with ${response.status}: ${text.slice(0, 500)}`)
  return text.match(each)?.length ?? 0
}

const filled = new WeakSet<Stage>()

async function fill(stage: Stage): Promise<void> {
  if (filled.has(stage)) return
  const names = Array.from({ length: keys }, (_, at) => `document-${String(at).padStart(6, '0')}`)
  await inParallel(names, 16, (name) => {
    const digest = `sha256:${new Bun.CryptoHasher('sha256').update(name).digest('hex')}` as const
    const key = versionKey({ tenant: 'acme', type: 'bench-list', name, digest })
    return stage.bucket.write(stage.fullKey(key), name)
  })
  filled.add(stage)
}
