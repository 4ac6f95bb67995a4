import { describe, expect, it, setDefaultTimeout } from 'bun:test'
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
  storedUnder,
} from '../../support/service/sample-documents.ts'
import { inChunks } from '../../support/stores/bodies.ts'
import { keysOf } from '../../support/stores/store-contents.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const { service, token, call } = await ownService({ documentBytesMax: 64 * MiB })

interface Answer {
  status: number
  digest: string
  createdAt: string
  tags: string[]
}

async function put(name: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await call(`races/${name}`, { method: 'PUT', headers, body })
  return { ...((await response.json()) as Omit<Answer, 'status'>), status: response.status }
}

async function remove(name: string, digest: string): Promise<number> {
  return (await call(`races/${name}/versions/${digest}`, { method: 'DELETE' })).status
}

async function latestOf(name: string): Promise<string | undefined> {
  const { digest } = (await (await call(`races/${name}/tags/latest`)).json()) as { digest?: string }
  return digest
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
    // The first writer's metadata, in every answer.
    expect(new Set(answers.map((answer) => answer.createdAt)).size).toBe(1)
    expect(await versionsOf('small')).toEqual([keyOf('races', 'small', digest)])
    expect(await storedUnder(service.store, keyOf('races', 'small', digest))).toEqual({
      digest,
      size: bytes.length,
    })
  })

  it.each([
    ['stream to its key', 4 * MiB, true],
    ['are staged, more of them than may be promoted at once', 9 * MiB, false],
  ])('make one object when they %s', async (_how, size, declared) => {
    const bytes = randomDocument(size)
    const [name, digest] = [`of-${size}`, digestOf(bytes)]
    const headers = { 'repr-digest': reprDigestOf(bytes) }
    const answers = await times(8, () => (declared ? put(name, bytes, headers) : put(name, inChunks(bytes))))
    expect(statuses(answers)).toEqual({ 200: 7, 201: 1 })
    expect(new Set(answers.map((answer) => answer.digest))).toEqual(new Set([digest]))
    expect(await versionsOf(name)).toEqual([keyOf('races', name, digest)])
    expect(await storedUnder(service.store, keyOf('races', name, digest))).toEqual({ digest, size })
    expect(await keysOf(service.store, 'staging/')).toEqual([])
  })
})

describe('racing uploads of different bytes under one name', () => {
  it('are all kept, each was the latest when it was acknowledged, and one of them still is', async () => {
    const bodies = Array.from({ length: 32 }, () => randomDocument(20 * KiB))
    const answers = await times(32, (index) => put('different', bodies[index] ?? new Uint8Array()))
    expect(statuses(answers)).toEqual({ 201: 32 })
    expect(await versionsOf('different')).toHaveLength(32)
    expect(answers.filter(({ tags }) => tags.includes('latest'))).toHaveLength(32)
    expect(answers.map((answer) => answer.digest)).toContain((await latestOf('different')) ?? '')
  })
})

describe('an upload that finishes long after it was admitted', () => {
  function admitted(name: string): number {
    return service.logs().filter((line) => line.kind === 'audit' && line.name === name).length
  }

  /** Sends half of the bytes, lets another upload overtake, and then sends the rest. */
  async function finishLate(name: string, slow: Uint8Array) {
    const quick = randomDocument(KiB)
    const path = pathOf('races', name)
    const headers = { authorization: `Bearer ${token}`, 'content-length': String(slow.length) }
    const before = admitted(name)
    const exchange = await rawRequest(service.url, { method: 'PUT', path, headers })
    await exchange.send(slow.subarray(0, slow.length / 2))
    await until(() => admitted(name) > before)
    expect((await put(name, quick)).status).toBe(201)
    await exchange.send(slow.subarray(slow.length / 2))
    const { status, body } = await exchange.answer()
    expect(await latestOf(name)).toBe(digestOf(slow))
    expect(await versionsOf(name)).toHaveLength(2)
    return { status, tags: JSON.parse(body.toString()).tags }
  }

  const tags = ['latest']

  it('is the latest, as it was acknowledged last', async () => {
    expect(await finishLate('late-small', randomDocument(64 * KiB))).toEqual({ status: 201, tags })
    expect(await finishLate('late-staged', randomDocument(10 * MiB))).toEqual({ status: 201, tags })
  })

  it('is the latest also if its version existed before', async () => {
    const old = randomDocument(64 * KiB)
    await put('late-repeat', old)
    expect(await finishLate('late-repeat', old)).toEqual({ status: 200, tags })
  })
})

describe('a delete that races with uploads', () => {
  /** True if `latest` is absent and so is every version, or what it points to is there. */
  async function latestHolds(name: string): Promise<boolean> {
    const digest = await latestOf(name)
    if (digest === undefined) return (await versionsOf(name)).length === 0
    return (await versionsOf(name)).some((key) => key.endsWith(digest.slice('sha256:'.length)))
  }

  it('leaves no dangling latest, whichever wins', async () => {
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
    // The bytes of an upload are put again if the version is deleted meanwhile.
    expect([...seen].filter((status) => ![200, 201, 204].includes(status))).toEqual([])
  })
})
