import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { isOpen } from '../../../service/object-store/observed-object-store.ts'
import { folderForTests } from '../../support/folder.ts'
import { ownService } from '../../support/service/own-service.ts'
import { rawRequest } from '../../support/service/raw-http.ts'
import {
  digestOf,
  MiB,
  pathOf,
  randomDocument,
  reprDigestOf,
} from '../../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { startPrivateStore } from '../../support/stores/store.ts'
import { until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const dataDir = await folderForTests('vouching-')
const store = stoppedAfterTests(await startPrivateStore({ dataDir }))
/** Of each read of bytes that were opened: whether they were passed on. */
const reads: boolean[] = []
const seen = (inner: ObjectStore): ObjectStore => ({
  ...inner,
  async getWhole(key, options) {
    const found = await inner.getWhole(key, options)
    if (isOpen(found)) reads.push(found.passedOn !== undefined)
    return found
  },
})
// Two reads at once, one of which may be passed on.
const { service, call, token } = await ownService({ store, decorate: seen, connectionsMax: 8 })
const { call: callHashing } = await ownService({
  replicaOf: service,
  decorate: seen,
  readVerification: 'always',
})

const large = randomDocument(5 * MiB)

async function uploaded(name: string, bytes = large): Promise<string> {
  const headers = { 'repr-digest': reprDigestOf(bytes) }
  expect((await call(`snapshots/${name}`, { method: 'PUT', body: bytes, headers })).status).toBe(201)
  reads.length = 0
  return `snapshots/${name}/versions/${digestOf(bytes)}`
}

/** What was noted since it was asked for last. */
function passedOn(): boolean[] {
  return reads.splice(0)
}

describe('a large document that the store vouches for', () => {
  it('is passed on unread, by digest and by tag, with the same answer as one that is hashed', async () => {
    const path = await uploaded('same')
    for (const address of [path, 'snapshots/same']) {
      const one = await call(address)
      expect(await one.bytes()).toEqual(large)
      expect(passedOn()).toEqual([true])
      const other = await callHashing(address)
      expect(await other.bytes()).toEqual(large)
      expect(passedOn()).toEqual([false])
      const ofBoth = [
        'repr-digest',
        'document-size',
        'etag',
        'content-type',
        'cache-control',
        'content-disposition',
      ]
      for (const name of ofBoth) expect(one.headers.get(name)).toBe(other.headers.get(name))
    }
  })

  it('is hashed if the stored bytes were replaced by a program that sends no checksum, or another one', async () => {
    const path = await uploaded('replaced')
    const key = `tenants/acme/documents/${path.replace('/versions/sha256:', '/')}`
    const other = randomDocument(5 * MiB)
    const facts = { size: other.length, contentType: 'text/plain' }
    await service.store.put(key, other, facts)
    await expect(call(path).then((answer) => answer.bytes())).rejects.toThrow()
    const sha256 = digestOf(other).slice('sha256:'.length)
    await service.store.put(key, other, { ...facts, sha256, keepsChecksum: true })
    await expect(call(path).then((answer) => answer.bytes())).rejects.toThrow()
    expect(passedOn()).toEqual([false, false])
  })

  it('is never complete if a byte on the disk of the store has changed', async () => {
    const path = await uploaded('flipped')
    const files = await readdir(dataDir, { recursive: true })
    const parts = files.filter((file) => file.includes('/flipped/') && file.endsWith('part.1'))
    expect(parts).toHaveLength(1)
    const file = await open(join(dataDir, parts[0] ?? ''), 'r+')
    const at = 3 * MiB
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 1]), 0, 1, at)
    await file.close()
    for (const caller of [call, callHashing]) {
      const read = caller(path).then(async (answer) => answer.ok && (await answer.bytes()))
      // Refused, or broken off.
      expect(await read.catch(() => false)).toBe(false)
    }
  })

  it('frees its connection when its client has it, leaves, or never reads', async () => {
    const path = await uploaded('left', randomDocument(64 * MiB))
    const target = `/v1/tenants/acme/documents/${path}`
    const headers = { authorization: `Bearer ${token}` }
    for (let round = 0; round < 5; round += 1) {
      const left = await rawRequest(service.url, { method: 'GET', path: target, headers })
      await until(() => left.received() > 0)
      left.reset()
      await until(async () => {
        const again = await call(path)
        const isPassedOn = passedOn().at(-1)
        await again.body?.cancel()
        return isPassedOn === true
      })
    }
  })

  it('makes no other tenant wait for a client that never reads it', async () => {
    await uploaded('stalled', randomDocument(64 * MiB))
    const headers = { authorization: `Bearer ${token}` }
    const stalled = await Promise.all(
      [1, 2, 3].map(async () => {
        const one = await rawRequest(service.url, {
          method: 'GET',
          path: pathOf('snapshots', 'stalled'),
          headers,
        })
        one.pause()
        return one
      }),
    )
    const globex = { authorization: `Bearer ${await service.token({ tenants: ['globex'] })}` }
    const address = `${service.url}/v1/tenants/globex/documents/snapshots/own`
    const own = randomDocument(MiB)
    expect((await fetch(address, { method: 'PUT', headers: globex, body: own })).status).toBe(201)
    expect(await (await fetch(address, { headers: globex })).bytes()).toEqual(own)
    for (const each of stalled) each.reset()
  })
})
