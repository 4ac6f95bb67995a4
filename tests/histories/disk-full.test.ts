import { expect, it, setDefaultTimeout } from 'bun:test'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { leftAfterSweep } from '../support/histories/document-at-rest.ts'
import { prepareEveryCall } from '../support/histories/every-call.ts'
import { KiB, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { startPrivateStore } from '../support/stores/store.ts'
import { keysOf } from '../support/stores/store-contents.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

const store = stoppedAfterTests(await startPrivateStore({ diskBytesMax: 128 * MiB }))
const deadlines = { answerSecondsMax: 2, transferSecondsMax: 4 }
const service = stoppedAfterTests(await serviceInProcess({ store, deadlines }))
const bucket = createS3ObjectStore({ ...service.owner, connectionsMax: 4 })
stoppedAfterTests({ stop: () => bucket.close() })

/** Fills the disk with foreign objects until it takes none of a KiB. @returns how many it took. */
async function fillDisk(): Promise<number> {
  let filled = 0
  for (const size of [8 * MiB, MiB, 64 * KiB, KiB]) {
    const bytes = randomDocument(size)
    const put = () =>
      bucket.put(`filler/${filled}`, bytes, { size, contentType: 'application/octet-stream' }).then(
        () => true,
        () => false,
      )
    while (await put()) filled += 1
  }
  return filled
}

it('answers in time while the disk of the store is full, loses nothing, and works again once there is room', async () => {
  const callAll = await prepareEveryCall(service)
  expect(await fillDisk()).toBeGreaterThan(4)
  const full = await callAll()
  console.log(`disk full: ${full.endings.join(' ')}`)
  expect(full.endings).toContain(503)
  expect(full.endings).toContain(200)

  for (const key of await keysOf(bucket, 'filler/')) await bucket.delete(key)
  expect(await full.flaws()).toEqual([])
  // The store looks at its disk from time to time only.
  const again = { size: MiB, contentType: 'application/octet-stream' }
  await until(() => bucket.put('filler/again', randomDocument(MiB), again).catch(() => null))
  const roomy = await (await prepareEveryCall(service))()
  expect(roomy.endings.filter((ending) => ending === 'cut' || ending >= 300)).toEqual([])
  expect(await roomy.flaws()).toEqual([])
  expect(await leftAfterSweep(service.store)).toEqual([])
})
