import { beforeAll, describe, expect, it } from 'bun:test'
import { eachObject } from '../../service/object-store/each-object.ts'
import type { ListPage } from '../../service/object-store/object-store.ts'
import { prefixed } from '../../service/object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { bytesOf, forEachParallel } from '../support/stores/bodies.ts'
import { bareBucket } from '../support/stores/bucket.ts'
import { chosenStore, storeForTests, testStores } from '../support/stores/store.ts'

const startMillisecondsMax = 600_000

/** Each name begins like another one, and `-` and `.` come before `/`. */
const keys = ['orders-eu', 'orders.old', 'orders'].flatMap((name) =>
  Array.from({ length: name === 'orders' ? 131 : 130 }, (_, at) => `${name}/${String(at).padStart(4, '0')}`),
)

describe(`listings of ${testStores[chosenStore()].title} in a bucket without lifecycle rules`, () => {
  let store: ReturnType<typeof createS3ObjectStore>
  beforeAll(async () => {
    const connection = await storeForTests()
    const bucket = await bareBucket(connection)
    store = createS3ObjectStore({ ...connection, bucket, connectionsMax: 16 })
    stoppedAfterTests({ stop: async () => store.close() })
    await forEachParallel(keys, 16, async (key) => {
      await store.put(`docs/${key}`, bytesOf(1), { size: 1, contentType: 'text/plain' })
    })
  }, startMillisecondsMax)

  async function visit(limit: number, prefix: string): Promise<string[]> {
    const visited: string[] = []
    for (let token: string | null | undefined; token !== null; ) {
      const page: ListPage = await prefixed(store, 'docs/').list({ prefix, limit, token })
      visited.push(...page.objects.map(({ key }) => key))
      token = page.next
    }
    return visited
  }

  const sorted = keys.toSorted()

  it('name every key once by token, in pages of 1, 10, 100 and 1,000, where names begin alike', async () => {
    for (const limit of [1, 10, 100, 1000]) {
      const visited = await visit(limit, '')
      expect(`pages of ${limit}: ${visited.length} keys`).toBe(`pages of ${limit}: 391 keys`)
      expect(visited.toSorted()).toEqual(sorted)
      expect((await visit(limit, 'orders')).toSorted()).toEqual(sorted)
    }
  })

  it('name every key once where they are read object by object', async () => {
    const visited = await Array.fromAsync(eachObject(prefixed(store, 'docs/'), ''), ({ key }) => key)
    expect(visited.toSorted()).toEqual(sorted)
  })
})
