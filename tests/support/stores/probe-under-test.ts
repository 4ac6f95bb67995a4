import { afterAll } from 'bun:test'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { FindingId, Observation } from '../../../service/object-store/probe/finding.ts'
import { probeRows } from '../../../service/object-store/probe/probe.ts'
import { createScratch, type ScratchOptions } from '../../../service/object-store/probe/scratch.ts'
import type { S3Connection } from '../../../service/object-store/s3/connection.ts'
import { freshBucket } from './bucket.ts'
import { type Lies, startLyingStore } from './lying-store.ts'
import { asService, type StoreForTests } from './service-key.ts'
import { storeForTests } from './store.ts'

export const prefix = 'docs/'

/** A bucket as the service reaches it, whose probe this is. */
type ProbedStore = StoreConnection & { bucket: string; connectionsMax: number; owner: StoreForTests }

/** Makes a bucket of its own, on the store of this run, for the tests of a file. */
export async function useStore(): Promise<ProbedStore> {
  const owner = await storeForTests()
  return { ...asService(owner), bucket: await freshBucket(owner), connectionsMax: 16, owner }
}

/** Returns the status for an absent bucket. MinIO tells its keys only about buckets that they may use. */
export function absentBucketStatus({ kind }: Pick<StoreConnection, 'kind'>): number {
  return kind === 'minio' ? 403 : 404
}

/** Asks one row of the probe. */
export async function observe(
  id: FindingId,
  connection: S3Connection,
  options: ScratchOptions = {},
): Promise<Observation> {
  const row = probeRows.find((each) => each.id === id)
  if (row === undefined) throw new Error(`there is no row ${id}`)
  const scratch = createScratch(connection, prefix, options)
  try {
    return await row.ask(scratch)
  } finally {
    await scratch.cleanUp()
  }
}

/** Asks one row of a lying store, which stops with the file. */
export function useLies(store: StoreConnection & { bucket: string }) {
  const stops: (() => Promise<void>)[] = []
  afterAll(async () => {
    for (const stop of stops) await stop()
  })
  return (id: FindingId, lies: Lies, options: ScratchOptions = {}) => {
    const liar = startLyingStore(store, lies)
    stops.push(liar.stop)
    return observe(id, liar, options)
  }
}
