import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { limits } from '../../../service/limits.ts'
import { ownService } from '../../support/service/own-service.ts'
import {
  digestOf,
  keyOf,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
  storedUnder,
} from '../../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { inChunks } from '../../support/stores/bodies.ts'
import { keysOf, leftovers, startOpenStore } from '../../support/stores/store-contents.ts'

setDefaultTimeout(600_000)

const documentBytesMax = 25 * MiB
const bytes = randomDocument(documentBytesMax + 1)
const part = limits.stagingPartBytes

/** The sizes at which the strategy of publishing changes, and at which parts of a staged upload begin. */
const sizes = [
  ...[0, 1],
  ...[limits.replayableBytesMax - 1, limits.replayableBytesMax, limits.replayableBytesMax + 1],
  ...[limits.bufferedBytesMax - 1, limits.bufferedBytesMax, limits.bufferedBytesMax + 1],
  ...[2 * part - 1, 2 * part, 2 * part + 1],
  ...[3 * part - 1, 3 * part, 3 * part + 1],
  documentBytesMax,
]

const disk = stoppedAfterTests(await startOpenStore())
const { service, token } = await ownService({ store: disk, documentBytesMax })

interface Declared {
  length: boolean
  digest: boolean
}

async function upload(name: string, size: number, declared: Declared): Promise<Response> {
  const body = bytes.subarray(0, size)
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-test' }
  return fetch(`${service.url}${pathOf('snapshots', name)}`, {
    method: 'PUT',
    body: declared.length ? body : inChunks(body),
    headers: declared.digest ? { ...headers, 'repr-digest': reprDigestOf(body) } : headers,
  })
}

/** Makes one upload and returns what the answer says and what the store has. */
async function outcome(size: number, declared: Declared) {
  const name = `${declared.length ? 'length' : 'chunks'}-${declared.digest ? 'digest' : 'none'}-${size}`
  const response = await upload(name, size, declared)
  const { digest, size: said, contentType, tags } = (await response.json()) as Record<string, unknown>
  const key = keyOf('snapshots', name, digestOf(bytes.subarray(0, size)))
  const stored = await storedUnder(service.store, key)
  return { status: response.status, answer: { digest, size: said, contentType, tags }, stored }
}

function expected(size: number) {
  const digest = digestOf(bytes.subarray(0, size))
  const answer = { digest, size, contentType: 'application/x-test', tags: ['latest'] }
  return { status: 201, answer, stored: { digest, size } }
}

/** Uploads every size, and expects so many uploads to have been staged and nothing to be left of them. */
async function expectAllStored(declared: Declared, staged: number): Promise<void> {
  service.storeCalls.length = 0
  for (const size of sizes) expect(await outcome(size, declared)).toEqual(expected(size))
  expect(service.storeCalls.filter((call) => call === 'startMultipart')).toHaveLength(staged)
  expect(await leftovers(disk, service.store)).toEqual([])
}

const largeSizes = sizes.filter((size) => size > limits.bufferedBytesMax).length

describe('an upload of every size, read back from the store itself', () => {
  it('is stored with Content-Length and with Repr-Digest', () =>
    expectAllStored({ length: true, digest: true }, 0))

  it('is stored with Content-Length and without Repr-Digest', () =>
    expectAllStored({ length: true, digest: false }, largeSizes))

  it('is stored without Content-Length and with Repr-Digest', () =>
    expectAllStored({ length: false, digest: true }, largeSizes))

  it('is stored without Content-Length and without Repr-Digest', () =>
    expectAllStored({ length: false, digest: false }, largeSizes))
})

describe('an upload of one byte more than DOCUMENT_BYTES_MAX', () => {
  async function refusal(declared: Declared) {
    const before = await keysOf(service.store, '')
    const response = await upload('too-large', documentBytesMax + 1, declared)
    const { code, bytesMax } = (await response.json()) as Record<string, unknown>
    const after = await keysOf(service.store, '')
    return { status: response.status, code, bytesMax, nothingNew: Bun.deepEquals(before, after) }
  }

  const refused = {
    status: 413,
    code: 'document_too_large',
    bytesMax: documentBytesMax,
    nothingNew: true,
  }

  it('is refused with Content-Length', async () => {
    expect(await refusal({ length: true, digest: true })).toEqual(refused)
    expect(await refusal({ length: true, digest: false })).toEqual(refused)
    expect(await leftovers(disk, service.store)).toEqual([])
  })

  it('is refused without Content-Length, with nothing left of what was staged', async () => {
    expect(await refusal({ length: false, digest: true })).toEqual(refused)
    expect(await refusal({ length: false, digest: false })).toEqual(refused)
    expect(await leftovers(disk, service.store)).toEqual([])
  })
})
