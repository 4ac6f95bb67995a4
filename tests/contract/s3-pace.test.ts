import { describe, expect, it } from 'bun:test'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { bytesOf } from '../support/stores/bodies.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { startLyingStore } from '../support/stores/lying-store.ts'
import { storeForTests } from '../support/stores/store.ts'

const real = await storeForTests()
const bucket = await freshBucket(real)

/** A store that takes so many calls at once, and answers the others as Hetzner does: with 429 and a page of HTML. */
function overloaded(callsMax: number) {
  let underWay = 0
  const counts = { answered: 0, turnedAway: 0 }
  const server = startLyingStore(
    { ...real, bucket },
    {
      answer() {
        if (underWay >= callsMax) {
          counts.turnedAway += 1
          const headers = { 'content-type': 'text/html' }
          return new Response('<html><title>429</title></html>', { status: 429, headers })
        }
        underWay += 1
        return null
      },
      async change(response) {
        if (response.status === 429) return response
        // So that calls meet each other at the store, as they do over a network.
        await Bun.sleep(10)
        underWay -= 1
        counts.answered += 1
        return response
      },
    },
  )
  return { server, counts }
}

describe('S3 object store that takes fewer calls at once than there are connections', () => {
  it('is asked for less, until it turns few calls away', async () => {
    const { server, counts } = overloaded(4)
    const store = createS3ObjectStore({ ...server, bucket })
    await store.put('key', bytesOf(3), { size: 3, contentType: 'text/plain' })
    let left = 1200
    const askAll = async () => {
      while (left-- > 0) await store.head('key').catch(() => {})
    }
    await Promise.all(Array.from({ length: 32 }, askAll))
    // Without the pace it turns away one for two that it answers (measured).
    expect(counts.turnedAway).toBeLessThan(counts.answered / 4)
    store.close()
    await server.stop()
  })
})
