import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { rawRequest } from '../../support/service/raw-http.ts'
import {
  digestOf,
  inChunks,
  KiB,
  keyOf,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
  storedUnder,
} from '../../support/service/sample-documents.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { keysOf } from '../../support/stores/store-contents.ts'
import { until } from '../../support/waiting.ts'

let service: InProcessService
let token: string

beforeAll(async () => {
  service = await serviceInProcess({ documentBytesMax: 64 * MiB })
  token = await service.token()
}, 600_000)

afterAll(() => service.stop())

interface Answer {
  status: number
  digest: string
  createdAt: string
}

async function put(name: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${service.url}${pathOf('races', name)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body,
  })
  const { digest, createdAt } = (await response.json()) as { digest: string; createdAt: string }
  return { status: response.status, digest, createdAt }
}

async function remove(name: string, digest: string): Promise<number> {
  const url = `${service.url}${pathOf('races', name)}/versions/${digest}`
  const response = await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } })
  await response.body?.cancel()
  return response.status
}

async function latestOf(name: string): Promise<{ status: number; digest: string | undefined }> {
  const url = `${service.url}${pathOf('races', name)}/tags/latest`
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  const { digest } = (await response.json()) as { digest?: string }
  return { status: response.status, digest }
}

function versionsOf(name: string): Promise<string[]> {
  return keysOf(service.store, `tenants/acme/documents/races/${name}/`)
}

/** How many of the answers had which status. */
function statuses(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

describe('racing uploads of the same bytes', () => {
  it('make one object and 64 good answers, one of them 201', async () => {
    const bytes = randomDocument(100 * KiB)
    const digest = digestOf(bytes)
    const answers = await times(64, () => put('small', bytes))
    expect(statuses(answers)).toEqual({ 200: 63, 201: 1 })
    expect(new Set(answers.map((answer) => answer.digest))).toEqual(new Set([digest]))
    // The first writer's metadata, whoever asks.
    expect(new Set(answers.map((answer) => answer.createdAt)).size).toBe(1)
    expect(await versionsOf('small')).toEqual([keyOf('races', 'small', digest)])
    expect(await storedUnder(service.store, keyOf('races', 'small', digest))).toEqual({
      digest,
      size: bytes.length,
    })
  }, 20_000)

  it('make one object when they stream to its key', async () => {
    const bytes = randomDocument(4 * MiB)
    const digest = digestOf(bytes)
    const headers = { 'repr-digest': reprDigestOf(bytes) }
    const answers = await times(8, () => put('streamed', bytes, headers))
    expect(statuses(answers)).toEqual({ 200: 7, 201: 1 })
    expect(new Set(answers.map((answer) => answer.digest))).toEqual(new Set([digest]))
    expect(await versionsOf('streamed')).toEqual([keyOf('races', 'streamed', digest)])
    expect(await storedUnder(service.store, keyOf('races', 'streamed', digest))).toEqual({
      digest,
      size: bytes.length,
    })
  }, 20_000)

  it('make one object when they are staged, more of them than may be promoted at once', async () => {
    const bytes = randomDocument(9 * MiB)
    const digest = digestOf(bytes)
    const answers = await times(8, () => put('staged', inChunks(bytes)))
    expect(statuses(answers)).toEqual({ 200: 7, 201: 1 })
    expect(await versionsOf('staged')).toEqual([keyOf('races', 'staged', digest)])
    expect(await keysOf(service.store, 'staging/')).toEqual([])
  }, 20_000)
})

describe('racing uploads of different bytes under one name', () => {
  it('leave latest at the one that was admitted last', async () => {
    const bodies = Array.from({ length: 32 }, () => randomDocument(20 * KiB))
    const answers = await times(32, (index) => put('different', bodies[index] ?? new Uint8Array()))
    expect(statuses(answers)).toEqual({ 201: 32 })
    expect(await versionsOf('different')).toHaveLength(32)
    const admittedLast = answers
      .map(({ createdAt }) => createdAt)
      .sort()
      .at(-1)
    const candidates = answers.filter(({ createdAt }) => createdAt === admittedLast)
    const { digest } = await latestOf('different')
    expect(candidates.map((answer) => answer.digest)).toContain(digest ?? '')
  }, 20_000)
})

describe('an upload that finishes long after it was admitted', () => {
  /** Waits until the service has admitted so many calls on this document: sent does not mean that it has seen them. */
  async function admitted(name: string, calls = 1): Promise<void> {
    const ofDocument = () => service.logs().filter((line) => line.kind === 'audit' && line.name === name)
    await until(() => ofDocument().length >= calls)
  }

  async function finishLate(name: string, size: number, declared: Record<string, string>): Promise<void> {
    const slow = randomDocument(size)
    const quick = randomDocument(KiB)
    const path = pathOf('races', name)
    const headers = { authorization: `Bearer ${token}`, ...declared, 'content-length': String(size) }
    const exchange = await rawRequest(service.url, { method: 'PUT', path, headers })
    await exchange.send(slow.subarray(0, size / 2))
    await admitted(name)
    expect((await put(name, quick)).status).toBe(201)
    await exchange.send(slow.subarray(size / 2))
    const { status, body } = await exchange.answer()
    expect({ status, tags: JSON.parse(body.toString()).tags }).toEqual({ status: 201, tags: [] })
    expect((await latestOf(name)).digest).toBe(digestOf(quick))
    expect(await versionsOf(name)).toHaveLength(2)
  }

  it('does not move latest back', async () => {
    await finishLate('late-small', 64 * KiB, {})
    await finishLate('late-staged', 10 * MiB, {})
  })

  it('does not move latest back when it was already there', async () => {
    const old = randomDocument(64 * KiB)
    await put('late-repeat', old)
    const path = pathOf('races', 'late-repeat')
    const headers = { authorization: `Bearer ${token}`, 'content-length': String(old.length) }
    const exchange = await rawRequest(service.url, { method: 'PUT', path, headers })
    await exchange.send(old.subarray(0, 1000))
    await admitted('late-repeat', 2)
    const newer = await put('late-repeat', randomDocument(KiB))
    await exchange.send(old.subarray(1000))
    expect((await exchange.answer()).status).toBe(200)
    expect((await latestOf('late-repeat')).digest).toBe(newer.digest)
  })
})

describe('a delete that races with uploads', () => {
  /** The tag as it is stored, whether or not it points to something. */
  async function storedLatest(name: string): Promise<string | null> {
    const object = await service.store.get(`tenants/acme/tags/races/${name}/latest`)
    return object && ((await new Response(object.body).json()) as { digest: string }).digest
  }

  /** True if `latest` is absent, or what it points to is there. */
  async function latestHolds(name: string): Promise<boolean> {
    const digest = await storedLatest(name)
    if (digest === null) return (await versionsOf(name)).length === 0
    return (await versionsOf(name)).some((key) => key.endsWith(digest.slice('sha256:'.length)))
  }

  it('leaves no dangling latest, whoever wins', async () => {
    const dangling: string[] = []
    const seen = new Set<number>()
    for (let round = 0; round < 40; round += 1) {
      const name = `deleted-${round}`
      const old = randomDocument(KiB)
      const { digest } = await put(name, old)
      const answers = await Promise.all([
        put(name, old).then(({ status }) => status),
        remove(name, digest),
        put(name, old).then(({ status }) => status),
        put(name, randomDocument(KiB)).then(({ status }) => status),
      ])
      for (const status of answers) seen.add(status)
      if (!(await latestHolds(name))) dangling.push(name)
    }
    expect(dangling).toEqual([])
    // 409: "the version was deleted meanwhile". Nothing else may happen.
    expect([...seen].filter((status) => ![200, 201, 204, 409].includes(status))).toEqual([])
  }, 30_000)

  it('leaves no dangling latest of a version that was new', async () => {
    const dangling: string[] = []
    for (let round = 0; round < 40; round += 1) {
      const name = `deleted-new-${round}`
      const bytes = randomDocument(KiB)
      const uploading = put(name, bytes)
      // As soon as it can be deleted.
      while ((await remove(name, digestOf(bytes))) === 404) await Bun.sleep(0)
      await uploading
      if (!(await latestHolds(name))) dangling.push(name)
    }
    expect(dangling).toEqual([])
  }, 30_000)
})
