import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { fileURLToPath } from 'node:url'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { prefixed } from '../../../service/object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { recordFigure } from '../../support/figures.ts'
import { peakOverIdle } from '../../support/service/resident-memory.ts'
import { KiB, keyOf, MiB, pathOf } from '../../support/service/sample-documents.ts'
import { type SpawnedService, serviceInChild } from '../../support/service/service-for-tests.ts'
import { generatedBlocks, generatedDigest, type Transfer } from '../../support/service/transfer-process.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { startPrivateStore } from '../../support/stores/store.ts'

setDefaultTimeout(600_000)

const smallBytes = 128 * MiB
const largeBytes = 1024 * MiB
const transferProcess = fileURLToPath(new URL('../../support/service/transfer-process.ts', import.meta.url))

const store = stoppedAfterTests(await startPrivateStore())

// Some GiB of documents go with it.

type Kind = Pick<Transfer, 'method' | 'contentLength'> & { reprDigest?: boolean }

/** Has another process make the transfer, and checks what it says. */
async function transfer(service: SpawnedService, kind: Kind, size: number): Promise<void> {
  const digest = generatedDigest(size)
  const document = pathOf('snapshots', `${size}.bin`)
  const path = kind.method === 'GET' ? `${document}/versions/${digest}` : document
  const { method, contentLength } = kind
  const declared = kind.reprDigest ? digest : undefined
  const what: Transfer = { method, contentLength, declared, origin: service.url, path, size }
  const child = Bun.spawn([process.execPath, transferProcess, JSON.stringify(what)], {
    env: { TRANSFER_TOKEN: await service.token() },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  expect(await new Response(child.stdout).text()).toMatch(
    kind.method === 'GET' ? `200 ${digest}` : new RegExp(`^20[01] ${digest}$`),
  )
}

/** Puts a document where services will find it, without any of them. */
async function preload(objects: ObjectStore, size: number): Promise<void> {
  const blocks = generatedBlocks(size)
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = blocks.next()
        if (done) controller.close()
        else controller.enqueue(value.slice())
      },
    },
    { highWaterMark: 0 },
  )
  await objects.put(keyOf('snapshots', `${size}.bin`, generatedDigest(size)), body, {
    size,
    contentType: 'application/octet-stream',
  })
}

/** A bucket with what downloads are of, for all services that are measured by them. */
async function bucketToRead(): Promise<string> {
  const bucket = await freshBucket(store)
  const objects = createS3ObjectStore({ ...store, bucket, connectionsMax: 1 })
  for (const size of [smallBytes, largeBytes]) await preload(prefixed(objects, 'docs/'), size)
  objects.close()
  return bucket
}

/** Memory that one transfer costs a fresh service at its peak, over what it has after some small ones. */
async function peakOfTransfer(kind: Kind, size: number, bucket?: string): Promise<number> {
  const service = await serviceInChild({ store, env: bucket === undefined ? {} : { S3_BUCKET_DOCS: bucket } })
  try {
    for (const warmSize of [4 * KiB, 300 * KiB, 2 * MiB]) {
      await transfer(service, { method: 'PUT', contentLength: true, reprDigest: true }, warmSize)
      await transfer(service, { method: 'GET' }, warmSize)
    }
    return await peakOverIdle(service.process.pid, () => transfer(service, kind, size))
  } finally {
    await service.stop()
  }
}

const runsMax = 3
/** MiB that 1 GiB may cost more than 128 MiB: less than 4 % of the difference, and about as much as the peak moves under load. */
const moreMax = 32
/** MiB by which the peak of one fresh service moves with the moment at which garbage is collected. */
const moves = 10

/**
 * Peaks in MiB for 128 MiB and 1 GiB, printed: the numbers are worth knowing also while they are good. Each is
 * the median of up to three fresh services, since one alone moves; the two sizes take turns, so that whatever else
 * the machine does meets both. No more turns are taken than could change the verdict: one, where it stays that far
 * below what is allowed; two, where even the higher of two large peaks is low enough, and not too far above the
 * lower of two small ones.
 *
 * @param bucket where the services find documents; default: each has an empty one.
 */
async function expectPeaks(title: string, kind: Kind, largeMax: number, bucket?: string): Promise<void> {
  const small: number[] = []
  const large: number[] = []
  const decided = () => {
    const margin = small.length === 1 ? moves : 0
    const [highest, lowest] = [Math.max(...large), Math.min(...small)]
    return highest + margin < largeMax && highest - lowest + margin <= moreMax
  }
  while (small.length === 0 || (small.length < runsMax && !decided())) {
    small.push(await peakOfTransfer(kind, smallBytes, bucket))
    large.push(await peakOfTransfer(kind, largeBytes, bucket))
  }
  console.log(`memory over idle, ${title}: 128 MiB costs ${shown(small)}, 1 GiB ${shown(large)}`)
  recordFigure('memory', { name: `${title}, 1 GiB`, value: median(large), unit: 'MiB' })
  expect(median(large)).toBeLessThan(largeMax)
  expect(median(large) - median(small)).toBeLessThanOrEqual(moreMax)
}

/** Of two values the higher one. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function shown(mebibytes: readonly number[]): string {
  return `${median(mebibytes).toFixed(1)} MiB (${mebibytes.map((each) => each.toFixed(1)).join(', ')})`
}

describe('peak memory of the service over idle', () => {
  it('stays below 64 MiB for an upload of 1 GiB with a digest', async () => {
    await expectPeaks('upload with digest', { method: 'PUT', contentLength: true, reprDigest: true }, 64)
  })

  it('stays below 64 MiB for a download of 1 GiB', async () => {
    await expectPeaks('download', { method: 'GET' }, 64, await bucketToRead())
  })

  it('stays below 128 MiB for an upload of 1 GiB without a digest', async () => {
    await expectPeaks('upload without digest', { method: 'PUT', contentLength: true }, 128)
  })

  it('stays below 128 MiB for an upload of 1 GiB without digest and length', async () => {
    await expectPeaks('upload without digest and length', { method: 'PUT' }, 128)
  })
})
