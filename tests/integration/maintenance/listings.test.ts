import { describe, expect, it } from 'bun:test'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { prefixed } from '../../../service/object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import {
  type Bucket,
  linesOf,
  pairVariables,
  runScriptJson,
  variablesOf,
} from '../../support/commands/script-run.ts'
import { recordFigure } from '../../support/figures.ts'
import { digestOf, keyOf } from '../../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { forEachParallel } from '../../support/stores/bodies.ts'
import { bareBucket } from '../../support/stores/bucket.ts'
import { type Lies, startLyingStore } from '../../support/stores/lying-store.ts'
import type { StoreForTests } from '../../support/stores/service-key.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { keysOf } from '../../support/stores/store-contents.ts'

/** Each begins like another one, and `-` and `.` come before `/`; so do the tenants. */
const names = ['orders', 'orders-eu', 'orders.old']
/** A listing that begins after a key of `eu` has more than a page of `eu-test` before it. */
const versionsMax = 2505

const minio = await storeForTests('minio')
const here = await bare(minio)
const source = documentsOf(here)
await fill(source, versionsMax)

async function bare(store: StoreForTests): Promise<Bucket> {
  return { ...store, bucket: await bareBucket(store) }
}

function documentsOf(bucket: Bucket): ObjectStore {
  const store = createS3ObjectStore({ ...bucket, connectionsMax: 24 })
  stoppedAfterTests({ stop: async () => store.close() })
  return prefixed(store, 'docs/')
}

/** Stores that many small versions of three documents of two tenants. */
function fill(store: ObjectStore, count: number): Promise<void> {
  const versions = Array.from({ length: count }, (_, at) => at)
  return forEachParallel(versions, 24, async (at) => {
    const bytes = Buffer.from(`version ${at}`)
    const tenant = at % 2 === 0 ? 'eu' : 'eu-test'
    const key = keyOf('definitions', names[at % names.length] ?? '', digestOf(bytes), tenant)
    await store.put(key, bytes, { size: bytes.length, contentType: 'text/plain' })
  })
}

/** Reaches a bucket through a store whose listings end after their first page of a thousand keys. */
function endingEarly(bucket: Bucket): Bucket {
  const lies: Lies = {
    async change(response, { method, query }) {
      if (method !== 'GET' || query['max-keys'] !== '1000') return response
      return new Response((await response.text()).replace('<IsTruncated>true', '<IsTruncated>false'))
    },
  }
  const liar = startLyingStore(bucket, lies)
  stoppedAfterTests(liar)
  return { ...bucket, endpoint: liar.endpoint }
}

describe('the maintenance commands on MinIO in a bucket without lifecycle rules', () => {
  it('scrub all of 2,505 versions whose names and tenants begin alike', async () => {
    const { exitCode, summary } = await runScriptJson('scrub', [], variablesOf(here))
    expect(summary).toMatchObject({ finished: true, versions: versionsMax, damaged: 0 })
    expect(exitCode).toBe(0)
    recordFigure('maintenance', { name: 'versions whose names begin alike', value: versionsMax, unit: '' })
  })

  it('migrate all of 2,505 versions, and find no difference afterwards', async () => {
    const there = await bare(minio)
    const target = documentsOf(there)
    const pair = pairVariables(here, there)
    const migrated = await runScriptJson('migrate', [], pair)
    expect(migrated.summary).toMatchObject({
      finished: true,
      versions: { copied: versionsMax },
      problems: 0,
    })
    expect(migrated.exitCode).toBe(0)
    const keys = await keysOf(target, 'tenants/')
    expect(keys).toEqual(await keysOf(source, 'tenants/'))
    const equal = await runScriptJson('compare', ['--no-bytes'], pair)
    expect(equal.summary).toMatchObject({ versions: versionsMax, differing: 0 })
    expect(equal.exitCode).toBe(0)
  })
})

describe('the maintenance commands where a listing ends too early', () => {
  const leftOut = versionsMax - 1000

  it('do not say that a scrub is finished', async () => {
    const { exitCode, summary, err } = await runScriptJson('scrub', [], variablesOf(endingEarly(here)))
    expect(summary).toMatchObject({ finished: false, versions: 1000 })
    expect(err).toContain(`left out ${leftOut} versions`)
    expect(exitCode).toBe(3)
  })

  it('count it as a problem of a migration, and of a comparison of either side', async () => {
    const there = await bare(minio)
    const pair = pairVariables(endingEarly(here), there)
    const migrated = await runScriptJson('migrate', [], pair)
    expect(linesOf(migrated.lines, 'miscount')).toEqual([
      { event: 'miscount', side: 'source', versions: leftOut },
    ])
    expect(migrated.summary).toMatchObject({ versions: { copied: 1000 }, problems: 1 })
    expect(migrated.exitCode).toBe(1)

    const compared = await runScriptJson('compare', ['--no-bytes'], pair)
    expect(compared.summary).toMatchObject({ differing: 0, leftOut: { source: leftOut, target: 0 } })
    expect(compared.exitCode).toBe(1)
    const back = await runScriptJson('compare', ['--no-bytes', '--reverse'], pair)
    expect(back.summary).toMatchObject({ differing: 0, leftOut: { source: 0, target: leftOut } })
    expect(back.exitCode).toBe(1)
  })

  it('count versions that the target does not list as a problem of a migration', async () => {
    const there = await bare(minio)
    const lies: Lies = {
      async change(response, { method, query }) {
        if (method !== 'GET' || query['max-keys'] !== '701') return response
        return new Response((await response.text()).replaceAll(/<Contents>.*?<\/Contents>/gs, ''))
      },
    }
    const liar = startLyingStore(there, lies)
    stoppedAfterTests(liar)
    const few = await bare(minio)
    await fill(documentsOf(few), 10)
    const pair = pairVariables(few, { ...there, endpoint: liar.endpoint })
    const { exitCode, lines } = await runScriptJson('migrate', [], pair)
    expect(linesOf(lines, 'miscount')).toEqual([{ event: 'miscount', side: 'target', versions: 10 }])
    expect(exitCode).toBe(1)
  })
})

describe('the maintenance commands between stores that order keys differently', () => {
  it('copy and compare everything, in both directions, and name each version that is not there', async () => {
    const few = await bare(minio)
    await fill(documentsOf(few), 30)
    const seaweedfs = await bare(await storeForTests('seaweedfs'))
    const target = documentsOf(seaweedfs)
    const pair = pairVariables(few, seaweedfs)
    expect((await runScriptJson('migrate', [], pair)).summary).toMatchObject({
      versions: { copied: 30 },
      problems: 0,
    })
    for (const args of [[], ['--reverse']]) {
      expect((await runScriptJson('migrate', args, pair)).summary).toMatchObject({
        versions: { present: 30 },
        problems: 0,
      })
      const { exitCode, summary } = await runScriptJson('compare', args, pair)
      expect(summary).toMatchObject({ versions: 30, differing: 0 })
      expect(exitCode).toBe(0)
    }
    const keys = await keysOf(target, 'tenants/')
    const removed = [keys[0], keys[12], keys[29]].map((key) => key ?? '')
    for (const key of removed) await target.delete(key)
    for (const [args, difference] of [
      [[], 'only in source'],
      [['--reverse'], 'only in target'],
    ] as const) {
      const { lines, summary } = await runScriptJson('compare', args, pair)
      expect(summary).toMatchObject({ versions: 30, differing: removed.length })
      const differences = linesOf(lines, 'difference')
      expect(differences.map((line) => line.differences)).toEqual(removed.map(() => [difference]))
    }
  })
})
