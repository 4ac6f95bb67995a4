import { describe, expect, it } from 'bun:test'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '../../service/limits.ts'
import { ObjectStoreError } from '../../service/object-store/object-store.ts'
import { archiveSizeHeader } from '../../service/wire/archive.ts'
import { tarEnd } from '../../service/wire/tar.ts'
import { folderForTests } from '../support/folder.ts'
import { acme, type Call, callerOf, type Json, jsonOf, put, refusalOf } from '../support/service/caller.ts'
import { ownService } from '../support/service/own-service.ts'
import { digestOf, KiB, keyOf, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { jsonBody } from '../support/service/ticket-calls.ts'
import { until } from '../support/waiting.ts'

/** Bodies of versions that the service has open, and the most at once. */
const open = { now: 0, most: 0 }
/** How many of the next readings of `flaky` fail, as if no connection were free. */
let busyReadings = 0

const { service, call } = await ownService({
  // All bytes are hashed, as they are wherever the store does not vouch for them.
  readVerification: 'always',
  decorate: (store) => ({
    ...store,
    async getWhole(key, options) {
      if (key.includes('/vanished/')) await store.delete(key)
      if (key.includes('/flaky/') && busyReadings > 0) {
        busyReadings -= 1
        throw new ObjectStoreError('busy', 'test', 'NoFreeConnection')
      }
      const object = await store.getWhole(key, options)
      if (!object || object === 'unchanged' || object.body instanceof Uint8Array) return object
      open.now += 1
      open.most = Math.max(open.most, open.now)
      const closed = () => {
        open.now -= 1
      }
      return { ...object, body: counting(object.body, closed) }
    },
  }),
})

/** Passes a body on and tells once that it was read to its end, has failed or was cancelled. */
function counting(body: ReadableStream<Uint8Array>, closed: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const once = () => {
    closed()
    closed = () => {}
  }
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          once()
          controller.close()
        } catch (error) {
          once()
          controller.error(error)
        }
      },
      async cancel(reason) {
        once()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

interface Item {
  type: string
  name: string
  digest: string
}

async function uploaded(type: string, name: string, body: string | Uint8Array<ArrayBuffer>): Promise<Item> {
  await put(call, `${type}/${name}`, body)
  return { type, name, digest: digestOf(body) }
}

const absentItem = (name: string, type = 'definitions'): Item => ({
  type,
  name,
  digest: digestOf('never uploaded'),
})
const asking = (documents: Item[]): Call => ({ method: 'POST', ...jsonBody({ documents }) })

/** Asks for an archive, and returns its bytes. */
async function archiveOf(documents: Item[]): Promise<Uint8Array<ArrayBuffer>> {
  const response = await call('archive', asking(documents))
  expect(response.status).toBe(200)
  const bytes = await response.bytes()
  expect(response.headers.get('archive-size')).toBe(String(bytes.byteLength))
  return bytes
}

/** Unpacks an archive by the tar of this machine, and returns its files by their paths. */
async function unpacked(archive: Uint8Array): Promise<Map<string, Buffer>> {
  const folder = await folderForTests('archive-')
  const tar = Bun.spawn(['tar', '-x', '-f', '-'], { cwd: folder, stdin: archive, stderr: 'pipe' })
  expect([await tar.exited, await new Response(tar.stderr).text()]).toEqual([0, ''])
  const entries = await readdir(folder, { recursive: true })
  const files = new Map<string, Buffer>()
  for (const path of entries.toSorted()) {
    if ((await stat(join(folder, path))).isFile()) files.set(path, await readFile(join(folder, path)))
  }
  return files
}

/** Asks for an archive that breaks off; returns how many bytes of it are missing, and whether it seemed to be complete. */
async function partOf(documents: Item[]): Promise<{ missing: number; complete: boolean }> {
  // The reset may come before the head of the answer is read.
  let missing = Number.POSITIVE_INFINITY
  try {
    const response = await call('archive', asking(documents))
    expect(response.status).toBe(200)
    missing = Number(response.headers.get(archiveSizeHeader))
    for await (const chunk of response.body as ReadableStream<Uint8Array>) missing -= chunk.byteLength
    return { missing, complete: true }
  } catch (error) {
    expect(error).toHaveProperty('code', 'ECONNRESET')
    return { missing, complete: false }
  }
}

describe('POST of archive', () => {
  it('answers with a tar that tar unpacks: a manifest and the bytes of each version', async () => {
    const sizes = [0, 1, 511, 512, 513, 300 * KiB, 5 * MiB]
    const bodies = sizes.map((size) => randomDocument(size))
    const items = await Promise.all(bodies.map((body, at) => uploaded('bundles', `of-${sizes[at]}`, body)))
    const response = await call('archive', asking(items))
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/x-tar',
      'content-disposition': 'attachment; filename="documents.tar"',
      'cache-control': 'no-store',
      'archive-size': expect.stringMatching(/^\d+$/),
    })
    const files = await unpacked(await response.bytes())
    const manifest = files.get('manifest.json')
    expect(JSON.parse(String(manifest))).toEqual({
      documents: items.map((item, at) => ({
        path: `bundles/of-${sizes[at]}`,
        ...item,
        size: sizes[at],
      })),
    })
    expect(files.size).toBe(1 + items.length)
    for (const [at, body] of bodies.entries())
      expect(files.get(`bundles/of-${sizes[at]}`)?.equals(body)).toBe(true)
  })

  it('has the longest types and names, and several versions of one document by their digests', async () => {
    const type = 'd'.repeat(63)
    const name = (chars: number) => 'n'.repeat(chars)
    const items = await Promise.all([
      ...[35, 36, 37, 99, 100, 101, 128].map((chars) => uploaded(type, name(chars), `of ${chars}`)),
      uploaded(type, name(86), 'first'),
      uploaded(type, name(86), 'second'),
      uploaded(type, name(128), 'another'),
    ])
    const files = await unpacked(await archiveOf(items))
    const hexes = (...bodies: string[]) => bodies.map((body) => digestOf(body).slice(7, 19))
    const [first, second] = hexes('first', 'second')
    const [long, another] = hexes('of 128', 'another')
    const expected = [
      ...[35, 36, 37, 99, 100, 101].map((chars) => [`${type}/${name(chars)}`, `of ${chars}`]),
      [`${type}/${name(86)}@${first}`, 'first'],
      [`${type}/${name(86)}@${second}`, 'second'],
      [`${type}/${name(128)}@${long}`, 'of 128'],
      [`${type}/${name(128)}@${another}`, 'another'],
    ] as [string, string][]
    files.delete('manifest.json')
    const found = [...files].map(([path, bytes]): [string, string] => [path, String(bytes)])
    expect(new Map(found)).toEqual(new Map(expected))
  })

  it('makes the same bytes of the same versions in the same order, whenever they were stored', async () => {
    const items = [
      await uploaded('bundles', 'same', 'A'),
      await uploaded('bundles', 'same-large', 'x'.repeat(300_000)),
    ]
    const first = await archiveOf(items)
    for (const { type, name, digest } of items)
      await call(`${type}/${name}/versions/${digest}`, { method: 'DELETE' })
    await Bun.sleep(1100)
    await uploaded('bundles', 'same', 'A')
    await uploaded('bundles', 'same-large', 'x'.repeat(300_000))
    expect(digestOf(await archiveOf(items))).toBe(digestOf(first))
    expect(digestOf(await archiveOf(items.toReversed()))).not.toBe(digestOf(first))
  })

  it('holds only the manifest if no version is asked for', async () => {
    expect([...(await unpacked(await archiveOf([])))]).toEqual([
      ['manifest.json', Buffer.from('{"documents":[]}\n')],
    ])
  })

  it('costs a HEAD and one reading for each version, and has one body open at a time', async () => {
    const items = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        uploaded('counted', `c${at}`, `${at}`.repeat(at < 5 ? 300_000 : 1)),
      ),
    )
    service.storeCalls.length = 0
    open.most = 0
    await archiveOf(items)
    expect(service.storeCalls).toEqual([...Array(20).fill('head'), ...Array(20).fill('getWhole')])
    expect([open.now, open.most]).toEqual([0, 1])
  })

  it('refuses all of it if a version is absent, names each that is, and reads none', async () => {
    const there = await uploaded('definitions', 'there', 'A')
    const absent = [absentItem('there'), absentItem('other'), { ...there, type: 'elsewhere' }]
    service.storeCalls.length = 0
    const refused = await call('archive', asking([absent[0] as Item, there, ...absent.slice(1)]))
    expect(refused.status).toBe(404)
    expect(await jsonOf(refused)).toMatchObject({ code: 'document_not_found', absent })
    expect(service.storeCalls).toEqual(Array(4).fill('head'))
  })

  it('takes a thousand versions with the longest names, and no more', async () => {
    const long = (count: number) =>
      Array.from({ length: count }, (_, at) => absentItem(`${at}`.padStart(128, '0'), 'd'.repeat(63)))
    const refused = await jsonOf(await call('archive', asking(long(1000))))
    expect(refused.absent).toEqual(long(1000))
    expect(await refusalOf(await call('archive', asking(long(1001))))).toBe('422 request_invalid')
    const body = JSON.stringify({ documents: [] }).padEnd(limits.archiveBodyBytesMax + 1)
    const headers = { 'content-type': 'application/json' }
    expect(await refusalOf(await call('archive', { method: 'POST', body, headers }))).toBe(
      '413 body_too_large',
    )
  })

  it('refuses a version that is there twice, by its place', async () => {
    const item = await uploaded('definitions', 'twice', 'A')
    expect(await jsonOf(await call('archive', asking([item, item])))).toMatchObject({
      code: 'request_invalid',
      errors: [{ in: 'body', pointer: '/documents/1', message: 'The same version as /documents/0' }],
    })
  })

  it('asks for the scope of reading, and never looks into another tenant', async () => {
    const item = await uploaded('definitions', 'foreign', 'A')
    const globex = await callerOf(service, await service.token({ tenants: ['globex'] }))
    const writer = await callerOf(service, await service.token({ scope: 'documents:write documents:admin' }))
    service.storeCalls.length = 0
    expect(await refusalOf(await globex(`${acme}/archive`, asking([item])))).toBe('404 document_not_found')
    expect(await refusalOf(await writer('archive', asking([item])))).toBe('403 scope_missing')
    expect(service.storeCalls).toEqual([])
    const elsewhere = await globex('/v1/tenants/globex/documents/archive', asking([item]))
    expect(await jsonOf(elsewhere)).toMatchObject({ code: 'document_not_found', absent: [item] })
  })

  it('has an audit line for each version before it is sent, and none for what is refused', async () => {
    const items = [await uploaded('audited', 'a', 'A'), await uploaded('audited', 'b', 'A')]
    const linesOf = async (asked: Item[]) => {
      const before = service.logs().length
      await (await call('archive', asking(asked))).arrayBuffer()
      return service
        .logs()
        .slice(before)
        .filter(({ kind }) => kind === 'audit')
    }
    const common = { event: 'access.decided', action: 'archive.read', subject: 'alice', tenant: 'acme' }
    const decided = { ...common, decision: 'allowed', rule: 'scope:documents:read' }
    expect(await linesOf(items)).toMatchObject([
      decided,
      { ...decided, ...items[0] },
      { ...decided, ...items[1] },
    ])
    const refused = await linesOf([...items, absentItem('audited')])
    expect(refused).toMatchObject([decided])
    expect(refused[0]).not.toHaveProperty('name')
  })

  it('waits for a connection as long as a download does, whose answer has begun', async () => {
    const item = await uploaded('definitions', 'flaky', 'A')
    const files = async () => (await unpacked(await archiveOf([item]))).get('definitions/flaky')
    busyReadings = limits.fruitlessReadsMax - 1
    expect(String(await files())).toBe('A')
    busyReadings = limits.fruitlessReadsMax
    expect((await partOf([item])).complete).toBe(false)
    expect(busyReadings).toBe(0)
  })
})

describe('an archive that cannot be sent whole', () => {
  /** Uploads a document and damages it behind the service's back. */
  async function damaged(name: string, body: Uint8Array<ArrayBuffer>, at: number): Promise<Item> {
    const item = await uploaded('definitions', name, body)
    const bytes = body.slice()
    bytes[at] = (bytes[at] ?? 0) ^ 1
    const key = keyOf('definitions', name, digestOf(body))
    await service.store.put(key, bytes, { size: bytes.byteLength, contentType: 'text/plain' })
    return item
  }

  /** What was logged of the answer that `work` gets. */
  async function brokenOff(work: () => Promise<void>): Promise<Json[]> {
    const before = service.logs().length
    await work()
    const isBroken = ({ event }: Json) => event === 'response.broken_off'
    await until(() => service.logs().slice(before).some(isBroken), 'the line of the answer')
    return service.logs().slice(before).filter(isBroken)
  }

  it('is broken off at a damaged version, large or small, and never complete', async () => {
    const good = await uploaded('definitions', 'good', 'A')
    const small = await damaged('damaged-small', randomDocument(100), 99)
    const large = await damaged('damaged-large', randomDocument(2 * MiB), 2 * MiB - 1)
    for (const item of [small, large]) {
      const lines = await brokenOff(async () => {
        const { missing, complete } = await partOf([good, item])
        // More than the end of the tar, so a part of the version that is damaged.
        expect([complete, missing > tarEnd.byteLength]).toEqual([false, true])
      })
      expect(JSON.stringify(lines)).toContain('integrity_violated')
    }
  })

  it('is broken off at a version that has disappeared since it was found', async () => {
    const items = [await uploaded('definitions', 'vanished', 'A'), await uploaded('definitions', 'kept', 'A')]
    await brokenOff(async () => {
      expect((await partOf(items)).complete).toBe(false)
    })
  })

  it('frees its connection to the store if the client disconnects, and reads no further', async () => {
    const items = await Promise.all(
      Array.from({ length: 8 }, (_, at) => uploaded('left', `l${at}`, randomDocument(4 * MiB))),
    )
    const client = new AbortController()
    service.storeCalls.length = 0
    const response = await call('archive', { ...asking(items), signal: client.signal })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await until(() => open.now === 1, 'the body of the first version')
    client.abort()
    await reader.read().catch(() => undefined)
    await until(() => open.now === 0, 'the end of the body')
    const readings = () => service.storeCalls.filter((name) => name === 'getWhole').length
    const before = readings()
    await Bun.sleep(200)
    expect([open.now, readings()]).toEqual([0, before])
    expect(before).toBeLessThan(items.length)
  })
})
