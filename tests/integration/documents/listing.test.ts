import { describe, expect, it } from 'bun:test'
import { nothingKnown } from '../../../service/object-store/store-capabilities.ts'
import { type Caller, jsonOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { digestOf, keyOf } from '../../support/service/sample-documents.ts'
import { forEachParallel } from '../../support/stores/bodies.ts'
import { bareBucket } from '../../support/stores/bucket.ts'
import { storeForTests } from '../../support/stores/store.ts'

/** Each name begins like another one, and `-` and `.` come before `/`. */
const names = ['orders', 'orders-eu', 'orders.old']
const documentsMax = 391

const bucket = await bareBucket(await storeForTests())
const { service, call } = await ownService({ bucket, capabilities: nothingKnown })
await forEachParallel(
  Array.from({ length: documentsMax }, (_, at) => at),
  16,
  async (at) => {
    const key = keyOf('definitions', names[at % names.length] ?? '', digestOf(Buffer.from(`${at}`)))
    await service.store.put(key, Buffer.from(`${at}`), { size: `${at}`.length, contentType: 'text/plain' })
  },
)

interface Row {
  name: string
  digest: string
}

/** Digests on all pages, after checking that no page but the last one is empty. */
async function readAll(caller: Caller, limit: number): Promise<string[]> {
  const digests: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const response = await caller(`?limit=${limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
    expect(response.status).toBe(200)
    const page = (await jsonOf(response)) as unknown as { documents: Row[]; nextCursor: string | null }
    digests.push(...page.documents.map(({ name, digest }) => `${name} ${digest}`))
    cursor = page.nextCursor
  }
  return digests
}

describe('the listing of a bucket without lifecycle rules', () => {
  it('names each of 391 documents whose names begin alike once, in pages of 100, 10 and 1,000', async () => {
    for (const limit of [100, 10, 1000]) {
      const digests = await readAll(call, limit)
      expect(`${limit}: ${digests.length} and ${new Set(digests).size}`).toBe(`${limit}: 391 and 391`)
    }
  })
})
