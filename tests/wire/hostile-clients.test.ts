import { afterAll, afterEach, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { acme, type Caller, callerOf, put } from '../support/service/caller.ts'
import { loadOf } from '../support/service/process-load.ts'
import { KiB, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { keysOf } from '../support/stores/store-contents.ts'
import { eventually, until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

const globex = '/v1/tenants/globex/documents'

let service: SpawnedService
let token: string
let call: Caller
let other: Caller
let sockets: Socket[] = []

beforeAll(async () => {
  service = await serviceInChild()
  token = await service.token()
  call = await callerOf(service, token)
  other = await callerOf(service, await service.token({ tenants: ['globex'] }))
  await put(call, 'definitions/small', randomDocument(200 * KiB))
  await put(call, 'definitions/large', randomDocument(16 * MiB))
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  // What they cost is given back, and nothing is left of what they have sent.
  await eventually(served, wellServed)
  await eventually(() => keysOf(service.store, 'staging/'), [])
  expect(loadOf(service.process.pid).memoryMiB).toBeLessThan(256)
})
afterAll(() => service.stop())

/** Hostile clients, each on a connection of its own, that have sent `text` and are not reading. */
async function clients(count: number, text: string): Promise<Socket[]> {
  const { hostname, port } = new URL(service.url)
  const opened = Array.from({ length: count }, async () => {
    const socket = connect({ host: hostname, port: Number(port) })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.pause()
    socket.write(text)
    return socket
  })
  const all = await Promise.all(opened)
  sockets.push(...all)
  return all
}

/** Resolves once the service has closed all of them. */
async function closed(all: readonly Socket[]): Promise<void> {
  for (const socket of all) socket.resume()
  await until(() => all.every((socket) => socket.closed || socket.readableEnded), 'connections to be closed')
}

/** First lines of what the service answers to all of them. */
async function answers(all: readonly Socket[]): Promise<string[]> {
  const lines = all.map(async (socket) => {
    socket.resume()
    const [data] = await once(socket, 'data')
    return String(data).split('\r\n', 1)[0] ?? ''
  })
  return [...new Set(await Promise.all(lines))]
}

function upload(name: string, fields: string): string {
  return `PUT ${acme}/definitions/${name} HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer ${token}\r\n${fields}\r\n\r\n`
}

function download(name: string): string {
  return `GET ${acme}/definitions/${name} HTTP/1.1\r\nHost: d\r\nAuthorization: Bearer ${token}\r\n\r\n`
}

/** What others are answered meanwhile, and the tenant of the hostile clients itself. */
async function served(): Promise<Record<string, number>> {
  const name = crypto.randomUUID()
  return {
    written: (await other(`${globex}/definitions/${name}`, { method: 'PUT', body: name })).status,
    read: (await other(`${globex}/definitions/${name}`)).status,
    readByTheSameTenant: (await call('definitions/small')).status,
    ready: (await fetch(`${service.url}/readyz`)).status,
  }
}

const wellServed = { written: 201, read: 200, readByTheSameTenant: 200, ready: 200 }

describe('the service', () => {
  it('serves others while a thousand clients are connected and send nothing', async () => {
    await clients(1000, '')
    expect(await served()).toEqual(wellServed)
  })

  it('serves others while 500 clients do not end the head of their request', async () => {
    const slow = await clients(500, `GET /livez HTTP/1.1\r\nHost: d\r\nX-Slow: `)
    for (const socket of slow) socket.write('x')
    expect(await served()).toEqual(wellServed)
  })

  it('serves others while 100 clients send half of a small body, and 100 another one in chunks without an end', async () => {
    await clients(100, `${upload('slow', 'Content-Length: 1000')}half`)
    await clients(100, `${upload('slower', 'Transfer-Encoding: chunked')}4\r\nhalf\r\n`)
    expect(await served()).toEqual(wellServed)
    expect(await keysOf(service.store, 'tenants/acme/documents/definitions/slow')).toEqual([])
  })

  it('serves others while 500 clients do not read what they have asked for', async () => {
    await clients(484, download('small'))
    await clients(16, download('large'))
    // A tenant with 500 requests that have only just begun has more than its share of them.
    const { readByTheSameTenant: _, ...others } = wellServed
    expect(await served()).toMatchObject(others)
    await eventually(served, wellServed)
  })

  it('serves others while clients stop sending and still read, and their bodies are refused', async () => {
    const half = await clients(100, `${upload('half', 'Content-Length: 1000')}half`)
    for (const socket of half) socket.end()
    expect(await served()).toEqual(wellServed)
    await closed(half)
    expect(await keysOf(service.store, 'tenants/acme/documents/definitions/half/')).toEqual([])
  })

  it('serves others while clients reset their connections in the middle of uploads and downloads', async () => {
    for (let round = 0; round < 3; round += 1) {
      const uploads = await clients(50, `${upload('reset', `Content-Length: ${16 * MiB}`)}${'x'.repeat(MiB)}`)
      const downloads = await clients(50, download('large'))
      for (const socket of [...uploads, ...downloads]) socket.resetAndDestroy()
      expect(await served()).toEqual(wellServed)
    }
    expect(await keysOf(service.store, 'tenants/acme/documents/definitions/reset/')).toEqual([])
  })

  it('serves others while clients send more than the length that they have declared, and are disconnected', async () => {
    const lying = await clients(50, `${upload('lying', 'Content-Length: 5')}hello${'x'.repeat(100)}\r\n\r\n`)
    expect(await served()).toEqual(wellServed)
    await closed(lying)
  })

  it('serves others while clients send a head without an end, which is refused', async () => {
    const endless = await clients(
      50,
      `GET /livez HTTP/1.1\r\nHost: d\r\n${'X-More: more\r\n'.repeat(20_000)}`,
    )
    expect(await answers(endless)).toEqual(['HTTP/1.1 431 Request Header Fields Too Large'])
    expect(await served()).toEqual(wellServed)
  })

  it('serves others while clients send a chunk extension without an end', async () => {
    const endless = upload('extended', 'Transfer-Encoding: chunked')
    const all = await clients(50, `${endless}5;${'x'.repeat(MiB)}`)
    expect(await served()).toEqual(wellServed)
    await closed(all)
  })
})
