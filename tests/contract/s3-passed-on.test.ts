import { afterAll, describe, expect, it } from 'bun:test'
import { ownerOfKey } from '../../service/documents/document-key.ts'
import { limits } from '../../service/limits.ts'
import { isWhole, type ObjectBody, type PutOptions } from '../../service/object-store/object-store.ts'
import { divideS3Connections } from '../../service/object-store/s3/connections.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { bytesIn, bytesOf, KiB, MiB, streamOf } from '../support/stores/bodies.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { storeForTests } from '../support/stores/store.ts'
import { knownVerdicts } from '../support/stores/store-findings.ts'

const real = await storeForTests()
const verdicts = knownVerdicts(real.kind)
/** Elsewhere the service does not ask for it. */
const checksumKept = verdicts['checksum-put'] === 'yes'
const keepsKeyFree = verdicts['copy-once'] === 'yes'
const bucket = await freshBucket(real)
// Four reads at once, two of them passed on.
const connectionsMax = 12
const connections = divideS3Connections(connectionsMax, ownerOfKey).tenants
const store = createS3ObjectStore({ ...real, bucket, connectionsMax, connections })
afterAll(() => store.close())

const bytes = bytesOf(6 * MiB)
const sha256 = Bun.SHA256.hash(bytes, 'hex')
const contentType = 'application/octet-stream'

function keyOf(name: string, tenant = 'acme'): string {
  return `tenants/${tenant}/documents/bundles/${name}/${sha256}`
}

async function stored(name: string, options: Partial<PutOptions> = {}, body = bytes): Promise<string> {
  const key = keyOf(name)
  const known = {
    size: body.length,
    contentType,
    sha256: Bun.SHA256.hash(body, 'hex'),
    keepsChecksum: checksumKept,
  }
  const isStream = options.keepsKeyFree === true
  await store.put(key, isStream ? streamOf(body) : body, { ...known, ...options })
  return key
}

async function opened(key: string, vouchedSha256: string | undefined = sha256): Promise<ObjectBody> {
  const found = await store.getWhole(key, { bytesMax: 256 * KiB, vouchedSha256 })
  if (found === null || found === 'unchanged' || isWhole(found)) throw new Error(`${key} was not opened`)
  return found
}

/** Opens an object, reads it, and says whether it was passed on and whole. */
async function read(key: string, vouchedSha256?: string): Promise<{ isPassedOn: boolean; isWhole: boolean }> {
  const found = await opened(key, vouchedSha256)
  const got = await bytesIn(found)
  found.passedOn?.end()
  return { isPassedOn: found.passedOn !== undefined, isWhole: Buffer.compare(got, bytes) === 0 }
}

describe('getWhole of an object that the store vouches for', () => {
  it('passes it on, if it was sent in one piece with its checksum', async () => {
    expect(await read(await stored('piece'))).toEqual({ isPassedOn: checksumKept, isWhole: true })
  })

  it('passes it on, if it was sent as the only part of an upload that keeps its key free', async () => {
    const key = await stored('part', { condition: { absent: true }, keepsKeyFree })
    expect(await read(key)).toEqual({ isPassedOn: checksumKept, isWhole: true })
  })

  it('says so of a small one, which it reads in one piece', async () => {
    const small = bytesOf(9)
    const key = await stored('small', {}, small)
    const asked = (vouchedSha256: string) => store.getWhole(key, { bytesMax: KiB, vouchedSha256 })
    const vouched = await asked(Bun.SHA256.hash(small, 'hex'))
    expect(vouched).toMatchObject({ body: small, ...(checksumKept && { isVouched: true }) })
    expect(await asked(Bun.SHA256.hash('other', 'hex'))).not.toHaveProperty('isVouched')
  })

  it('reads one that has no checksum, or not the expected one, as any other', async () => {
    const without = await stored('without', { keepsChecksum: false })
    expect(await read(without)).toEqual({ isPassedOn: false, isWhole: true })
    const other = await stored('other')
    expect(await read(other, Bun.SHA256.hash('other', 'hex'))).toEqual({ isPassedOn: false, isWhole: true })
  })

  it('reads one as any other that was replaced by other bytes with their own checksum', async () => {
    const key = await stored('replaced')
    await stored('replaced', {}, bytesOf(6 * MiB, 2))
    expect(await read(key)).toEqual({ isPassedOn: false, isWhole: false })
  })

  it('passes on half of the reads at once, and frees their connections when they are over', async () => {
    const key = await stored('many')
    const bodies = await Promise.all([1, 2, 3, 4].map(() => opened(key)))
    const passedOn = bodies.filter((body) => body.passedOn !== undefined)
    expect(passedOn).toHaveLength(checksumKept ? 2 : 0)
    for (const body of bodies) {
      expect(await bytesIn(body)).toEqual(bytes)
      body.passedOn?.end()
    }
    expect(await read(key)).toEqual({ isPassedOn: checksumKept, isWhole: true })
  })

  it('gives its connection to another tenant if no other one can be taken', async () => {
    const key = await stored('taken')
    const bodies = await Promise.all([1, 2, 3, 4].map(() => opened(key)))
    const others = await Promise.all(
      ['globex', 'initech', 'umbrella'].map(async (tenant) => {
        const own = keyOf('small', tenant)
        await store.put(own, bytesOf(9), { size: 9, contentType })
        return store.getWhole(own, { bytesMax: KiB })
      }),
    )
    expect(others.map((found) => found !== null && found !== 'unchanged' && found.size)).toEqual([9, 9, 9])
    for (const body of bodies) {
      body.passedOn?.end()
      await body.body.cancel().catch(() => {})
    }
    await Bun.sleep(limits.connectionCloseMilliseconds)
    expect(await read(key)).toEqual({ isPassedOn: checksumKept, isWhole: true })
  })
})
