import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { Digest } from '../../../service/wire/names.ts'
import { ownService } from '../../support/service/own-service.ts'
import { rawRequest } from '../../support/service/raw-http.ts'
import {
  digestOf,
  KiB,
  keyOf,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
} from '../../support/service/sample-documents.ts'

setDefaultTimeout(600_000)

const small = randomDocument(100 * KiB)
const large = randomDocument(3 * MiB)

const { service, token } = await ownService({ readVerification: 'store' })
/** Another replica, which hashes all that it reads. */
const { service: hashing } = await ownService({ replicaOf: service, readVerification: 'always' })

/** A document that was uploaded, and whose bytes in the store are then others. */
async function damaged(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  stored: Uint8Array,
): Promise<{ digest: Digest }> {
  const response = await fetch(`${service.url}${pathOf('audits', name)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'repr-digest': reprDigestOf(bytes) },
    body: bytes,
  })
  expect(response.status).toBe(201)
  await response.body?.cancel()
  const digest = digestOf(bytes)
  const contentType = 'application/octet-stream'
  await service.store.put(keyOf('audits', name, digest), stored, { size: stored.length, contentType })
  return { digest }
}

function flippedAt(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = bytes.slice()
  flipped[at] = (flipped[at] ?? 0) ^ 1
  return flipped
}

async function read(path: string, headers: Record<string, string> = {}, from = service) {
  const exchange = await rawRequest(from.url, {
    method: 'GET',
    path,
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
  return exchange.answer()
}

/** Reads by digest and by tag; what a client sees of both, in short; the same, if the service verifies all that it reads. */
async function seen(name: string, digest: Digest): Promise<string[]> {
  const [byStore, byService] = [await seenFrom(service, name, digest), await seenFrom(hashing, name, digest)]
  expect(byStore).toEqual(byService)
  return byStore
}

async function seenFrom(from: typeof service, name: string, digest: Digest): Promise<string[]> {
  const paths = [
    `${pathOf('audits', name)}/versions/${digest}`,
    pathOf('audits', name),
    `${pathOf('audits', name)}?tag=latest`,
  ]
  const answers = await Promise.all(paths.map((path) => read(path, {}, from)))
  return answers.map(({ status, complete, body, headers }) => {
    if (headers.get('content-type') !== 'application/problem+json')
      return `${status} ${complete ? 'complete' : 'cut off'}`
    return `${status} ${JSON.parse(body.toString()).code}`
  })
}

function violations(name: string): Record<string, unknown>[] {
  return service.logs().filter((line) => line.event === 'integrity.violated' && line.name === name)
}

const refused = ['500 integrity_violated', '500 integrity_violated', '500 integrity_violated']
const cutOff = ['200 cut off', '200 cut off', '200 cut off']

describe('a small document whose bytes were changed in the store', () => {
  it('is refused when one bit differs', async () => {
    const { digest } = await damaged('small-bit', small, flippedAt(small, small.length - 1))
    expect(await seen('small-bit', digest)).toEqual(refused)
  })

  it('is refused when bytes are missing or too many', async () => {
    const short = await damaged('small-short', small, small.subarray(0, -1))
    expect(await seen('small-short', short.digest)).toEqual(refused)
    const long = await damaged('small-long', small, new Uint8Array(small.length + 1).fill(7))
    expect(await seen('small-long', long.digest)).toEqual(refused)
  })

  it('is refused when nothing is left of it', async () => {
    const { digest } = await damaged('small-empty', small, new Uint8Array())
    expect(await seen('small-empty', digest)).toEqual(refused)
  })

  it('is refused when it was empty and is not any more', async () => {
    const { digest } = await damaged('empty-filled', new Uint8Array(), new Uint8Array(1))
    expect(await seen('empty-filled', digest)).toEqual(refused)
  })

  it('reveals nothing about its bytes', async () => {
    const secret = Buffer.from('x'.repeat(100))
    const { digest } = await damaged('small-quiet', small, secret)
    const { body } = await read(`${pathOf('audits', 'small-quiet')}/versions/${digest}`)
    expect(body.toString()).not.toContain('xxx')
    expect(body.toString()).not.toContain(digestOf(secret))
  })
})

describe('a large document whose bytes were changed in the store', () => {
  it('is cut off when one bit differs, wherever it is', async () => {
    const first = await damaged('large-first', large, flippedAt(large, 0))
    expect(await seen('large-first', first.digest)).toEqual(cutOff)
    const last = await damaged('large-last', large, flippedAt(large, large.length - 1))
    expect(await seen('large-last', last.digest)).toEqual(cutOff)
  })

  it('is cut off when bytes are missing or too many', async () => {
    const short = await damaged('large-short', large, large.subarray(0, -1))
    expect(await seen('large-short', short.digest)).toEqual(cutOff)
    const long = await damaged('large-long', large, Buffer.concat([large, new Uint8Array(1)]))
    expect(await seen('large-long', long.digest)).toEqual(cutOff)
  })

  it('is refused when nothing is left of it', async () => {
    const { digest } = await damaged('large-empty', large, new Uint8Array())
    expect(await seen('large-empty', digest)).toEqual(refused)
  })

  it('is cut off when it was small once', async () => {
    const { digest } = await damaged('small-large', small, large)
    expect(await seen('small-large', digest)).toEqual(cutOff)
  })

  it('makes fetch fail instead of serving the bytes', async () => {
    const { digest } = await damaged('large-fetch', large, flippedAt(large, 1000))
    const response = await fetch(`${service.url}${pathOf('audits', 'large-fetch')}/versions/${digest}`, {
      headers: { authorization: `Bearer ${token}` },
    })
    await expect(response.arrayBuffer()).rejects.toThrow()
  })
})

describe('a document that was not changed', () => {
  it('is served completely, small or large', async () => {
    const quick = await damaged('intact-small', small, small)
    expect(await seen('intact-small', quick.digest)).toEqual(['200 complete', '200 complete', '200 complete'])
    const slow = await damaged('intact-large', large, large)
    expect(await seen('intact-large', slow.digest)).toEqual(['200 complete', '200 complete', '200 complete'])
    expect(violations('intact-small')).toEqual([])
    expect(violations('intact-large')).toEqual([])
  })
})

describe('every read of changed bytes', () => {
  it('causes one line in the log that names the version and what was found', async () => {
    const other = flippedAt(large, 5)
    const { digest } = await damaged('logged', large, other)
    await seen('logged', digest)
    expect(violations('logged')).toHaveLength(3)
    expect(violations('logged')[0]).toMatchObject({
      level: 'error',
      tenant: 'acme',
      type: 'audits',
      name: 'logged',
      digest,
      found: { digest: digestOf(other), size: other.length },
    })
  })
})

describe('a range of a document', () => {
  it('carries the digest of the whole document, so that the client can detect changed bytes', async () => {
    const other = flippedAt(large, 100)
    const { digest } = await damaged('range', large, other)
    const path = `${pathOf('audits', 'range')}/versions/${digest}`
    const half = large.length / 2
    const head = await read(path, { range: `bytes=0-${half - 1}` })
    const tail = await read(path, { range: `bytes=${half}-` })
    expect([head.status, tail.status]).toEqual([206, 206])
    expect(head.headers.get('repr-digest')).toBe(reprDigestOf(large))
    expect(tail.headers.get('repr-digest')).toBe(reprDigestOf(large))
    expect(reprDigestOf(Buffer.concat([head.body, tail.body]))).not.toBe(reprDigestOf(large))
  })
})
