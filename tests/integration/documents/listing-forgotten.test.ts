import { describe, expect, it } from 'bun:test'
import { type ListPlace, readListPage } from '../../../service/documents/listing/list-pages.ts'
import type { ListPage } from '../../../service/object-store/object-store.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { recordFigure } from '../../support/figures.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { bytesOf, forEachParallel } from '../../support/stores/bodies.ts'
import { bareBucket } from '../../support/stores/bucket.ts'
import { type OpenStore, startOpenStore } from '../../support/stores/store-contents.ts'

/** Each name begins like another one. A page of ten after `orders/` has more than it counts to before it. */
const names = ['orders', 'orders-eu', 'orders.old']
const keys = Array.from(
  { length: 150 },
  (_, at) => `${names[at % names.length]}/${String(at).padStart(4, '0')}`,
)
const limit = 10

let minio: OpenStore = await startOpenStore()
stoppedAfterTests({ stop: () => minio.stop() })
const bucket = await bareBucket(minio)
const store = createS3ObjectStore({ ...minio, bucket, connectionsMax: 8 })
stoppedAfterTests({ stop: async () => store.close() })
await forEachParallel(keys, 8, async (key) => {
  await store.put(key, bytesOf(1), { size: 1, contentType: 'text/plain' })
})

async function restart(): Promise<void> {
  await minio.kill()
  minio = await minio.restarted()
}

/** Visits all keys, and restarts MinIO when most of them were visited. */
async function visit(next: (visited: string[]) => Promise<boolean>): Promise<string[]> {
  const visited: string[] = []
  let isRestarted = false
  while (await next(visited)) {
    if (isRestarted || visited.length < 110) continue
    await restart()
    isRestarted = true
  }
  expect(isRestarted).toBe(true)
  return visited
}

describe('a listing of MinIO in a bucket without lifecycle rules', () => {
  it('loses keys behind a token that MinIO has forgotten', async () => {
    let token: string | undefined
    const visited = await visit(async (sofar) => {
      const page: ListPage = await store.list({ prefix: '', limit, token })
      sofar.push(...page.objects.map(({ key }) => key))
      token = page.next ?? undefined
      return token !== undefined
    })
    expect(visited.length).toBeLessThan(keys.length)
  })

  it('is complete page by page of the API, although MinIO has forgotten a token that is new', async () => {
    let from: ListPlace | null = null
    const visited = await visit(async (sofar) => {
      const page = await readListPage(store, { prefix: '', limit, from, startAfterExact: false })
      sofar.push(...page.rows.map(({ key }) => key))
      from = page.next
      return from !== null
    })
    expect(visited).toEqual(keys.toSorted())
    recordFigure('listing', { name: 'keys named over a restart of MinIO', value: visited.length, unit: '' })
  })
})
