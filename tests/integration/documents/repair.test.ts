import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { type Caller, callerOf, jsonOf, put, refusalOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import {
  digestOf,
  KiB,
  keyOf,
  MiB,
  randomDocument,
  reprDigestOf,
} from '../../support/service/sample-documents.ts'
import { ticketCalls } from '../../support/service/ticket-calls.ts'
import { inChunks } from '../../support/stores/bodies.ts'

setDefaultTimeout(600_000)

const { service, call } = await ownService()
const bob = await callerOf(service, await service.token({ sub: 'bob' }))

/** How a version comes to be damaged in the store. */
type Damage = (bytes: Uint8Array) => Uint8Array

const cutShort: Damage = (bytes) => bytes.subarray(0, -1)
const emptied: Damage = () => new Uint8Array()

/** Uploads a version as Alice, and then replaces its bytes in the store; metadata stay. */
async function damagedVersion(name: string, bytes: Uint8Array<ArrayBuffer>, damage: Damage) {
  const headers = { 'content-type': 'text/plain', 'repr-digest': reprDigestOf(bytes) }
  const response = await call(`bundles/${name}`, { method: 'PUT', body: bytes, headers })
  expect(response.status).toBe(201)
  const document = await jsonOf(response)
  await replaceStored(name, bytes, damage)
  return document
}

async function replaceStored(name: string, bytes: Uint8Array, damage: Damage): Promise<void> {
  const key = keyOf('bundles', name, digestOf(bytes))
  const info = await service.store.head(key)
  const stored = damage(bytes)
  const { contentType = '', metadata } = info ?? {}
  await service.store.put(key, stored, { size: stored.length, contentType, metadata })
}

function repairs(name: string): number {
  return service.logs().filter((line) => line.event === 'integrity.repaired' && line.name === name).length
}

/** Reads the bytes by tag and by digest; whether both are right. */
async function isReadable(name: string, bytes: Uint8Array): Promise<boolean> {
  const digest = digestOf(bytes)
  const responses = [await call(`bundles/${name}`), await call(`bundles/${name}/versions/${digest}`)]
  const bodies = await Promise.all(responses.map((response) => response.arrayBuffer().catch(() => null)))
  return bodies.every((body) => body !== null && digestOf(new Uint8Array(body)) === digest)
}

/** Uploads the right bytes as another subject and with another type, so that the answer shows whose metadata stay. */
function uploadAgain(caller: Caller, name: string, body: Uint8Array<ArrayBuffer>, form: 'whole' | 'chunked') {
  const headers = { 'content-type': 'application/json' }
  const digest = { 'repr-digest': reprDigestOf(body) }
  return form === 'whole'
    ? caller(`bundles/${name}`, { method: 'PUT', body, headers: { ...headers, ...digest } })
    : caller(`bundles/${name}`, { method: 'PUT', body: inChunks(body), headers })
}

/** Damages a version, uploads the right bytes again in one form, and returns all that can be seen of the repair. */
async function repaired(name: string, size: number, options: { damage: Damage; form: 'whole' | 'chunked' }) {
  const bytes = randomDocument(size)
  const before = await damagedVersion(name, bytes, options.damage)
  const wasReadable = await isReadable(name, bytes)
  const response = await uploadAgain(bob, name, bytes, options.form)
  const seen = { status: response.status, same: Bun.deepEquals(await jsonOf(response), before) }
  return { wasReadable, ...seen, readable: await isReadable(name, bytes), repairs: repairs(name) }
}

const whole = { wasReadable: false, status: 200, same: true, readable: true, repairs: 1 }

describe('a version that was cut short in the store', () => {
  it('is repaired by an upload of the right bytes, which keeps the metadata of the first', async () => {
    expect(await repaired('small', 64 * KiB, { damage: cutShort, form: 'whole' })).toEqual(whole)
    expect(await repaired('emptied', KiB, { damage: emptied, form: 'whole' })).toEqual(whole)
  })

  it('is repaired by an upload without digest and length', async () => {
    expect(await repaired('chunked', 64 * KiB, { damage: emptied, form: 'chunked' })).toEqual(whole)
  })

  it('is repaired by an upload that is staged in parts', async () => {
    expect(await repaired('parts', 8 * MiB + 1, { damage: cutShort, form: 'chunked' })).toEqual(whole)
  })

  it('is repaired by a streamed upload, at the second try at the latest', async () => {
    const bytes = randomDocument(2 * MiB)
    const before = await damagedVersion('streamed', bytes, cutShort)
    const first = await uploadAgain(bob, 'streamed', bytes, 'whole')
    // A stream has been read when the store says that the key is taken.
    const response = first.ok ? first : await uploadAgain(bob, 'streamed', bytes, 'whole')
    if (!first.ok) expect(await refusalOf(first)).toBe('503 busy')
    expect([response.status, await jsonOf(response)]).toEqual([200, before])
    expect([await isReadable('streamed', bytes), repairs('streamed')]).toEqual([true, 1])
  })

  it('is not repaired by other bytes, nor counted where nothing is damaged', async () => {
    const bytes = randomDocument(KiB)
    await damagedVersion('other', bytes, emptied)
    await put(bob, 'bundles/other', randomDocument(KiB))
    const response = await call(`bundles/other/versions/${digestOf(bytes)}`)
    expect(await refusalOf(response)).toBe('500 integrity_violated')
    await put(call, 'bundles/intact', bytes)
    await put(bob, 'bundles/intact', bytes)
    expect([repairs('other'), repairs('intact')]).toEqual([0, 0])
  })

  it('can be uploaded in a stream after it was deleted, at the second try at the latest', async () => {
    const bytes = randomDocument(2 * MiB)
    await damagedVersion('deleted', bytes, cutShort)
    await (await uploadAgain(bob, 'deleted', bytes, 'whole')).body?.cancel()
    await replaceStored('deleted', bytes, cutShort)
    const path = `bundles/deleted/versions/${digestOf(bytes)}`
    expect((await call(path, { method: 'DELETE' })).status).toBe(204)
    // This replica may still want to replace the damaged object; then it learns that there is none.
    const first = await uploadAgain(bob, 'deleted', bytes, 'whole')
    const response = first.ok ? first : await uploadAgain(bob, 'deleted', bytes, 'whole')
    expect(response.status).toBe(201)
    expect(await isReadable('deleted', bytes)).toBe(true)
  })

  it('is repaired by way of a ticket', async () => {
    const bytes = randomDocument(KiB)
    await damagedVersion('ticket', bytes, emptied)
    const calls = await ticketCalls(service)
    const response = await calls.complete('ticket', await calls.uploaded('ticket', bytes))
    expect([response.status, (await jsonOf(response)).size]).toEqual([200, KiB])
    expect([await isReadable('ticket', bytes), repairs('ticket')]).toEqual([true, 1])
  })
})

describe('a version whose bytes were replaced by as many others', () => {
  const flipped: Damage = (bytes) => bytes.toReversed()

  it('is repaired by an upload of the right bytes after a read has found the damage', async () => {
    expect(await repaired('flipped', 64 * KiB, { damage: flipped, form: 'whole' })).toEqual(whole)
    expect(await repaired('flipped-large', 8 * MiB + 1, { damage: flipped, form: 'chunked' })).toEqual(whole)
  })
})
