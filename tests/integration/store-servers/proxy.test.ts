import { afterAll, describe, expect, it } from 'bun:test'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { S3Connection } from '../../../service/object-store/s3/connection.ts'
import { createProbeClient, type ProbeClient } from '../../../service/object-store/s3/probe-client.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { storeForTests } from '../../support/stores/store.ts'
import {
  isList,
  overloadPage,
  type StoreBehaviours,
  startStoreProxy,
} from '../../support/stores/strict-proxy.ts'

const stops: (() => Promise<void>)[] = []

const store = await storeForTests('minio')
const bucket = await freshBucket(store)

afterAll(async () => {
  for (const stop of stops) await stop()
})

const connect = (to: StoreConnection): S3Connection => ({ ...to, bucket, connectionsMax: 8 })
const sha256 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex')

async function behind(behaviours: StoreBehaviours): Promise<ProbeClient> {
  const proxy = await startStoreProxy(store, behaviours)
  stops.push(proxy.stop)
  return createProbeClient(connect(proxy))
}

/** Puts `body` straight into the store and returns its ETag without quotes. */
async function put(key: string, body: string): Promise<string> {
  const answer = await createProbeClient(connect(store)).send({ method: 'PUT', key, body })
  expect(answer.status).toBe(200)
  return (answer.headers.get('etag') ?? '').replaceAll('"', '')
}

describe('startStoreProxy, when nothing is to be different', () => {
  it('passes bodies, ranges and HEAD on with their lengths', async () => {
    const client = await behind({})
    expect((await client.send({ method: 'PUT', key: 'plain', body: '0123456789' })).status).toBe(200)
    const whole = await client.send({ method: 'GET', key: 'plain' })
    expect([whole.text, whole.headers.get('content-length')]).toEqual(['0123456789', '10'])
    const range = await client.send({ method: 'GET', key: 'plain', headers: { range: 'bytes=2-4' } })
    expect([range.status, range.text]).toEqual([206, '234'])
    const head = await client.send({ method: 'HEAD', key: 'plain' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10'])
  })

  it('leaves the judgement of a signature to the store', async () => {
    const client = await behind({})
    const forged = await client.send({
      method: 'GET',
      key: 'plain',
      as: { secretAccessKey: 'not the secret' },
    })
    expect([forged.status, forged.code]).toEqual([403, 'SignatureDoesNotMatch'])
    const proxy = await startStoreProxy(store, {})
    stops.push(proxy.stop)
    expect((await fetch(`${proxy.endpoint}/${bucket}/plain`)).status).toBe(403)
  })

  it('stops listening, and leaves the store running', async () => {
    const proxy = await startStoreProxy(store, {})
    await proxy.stop()
    await expect(fetch(proxy.endpoint)).rejects.toThrow()
    expect((await fetch(store.endpoint)).status).toBe(403)
  })
})

describe('startStoreProxy, refuseUnsignedAmzHeaders', () => {
  it('refuses a copy through a header that was not signed, and takes the same header signed', async () => {
    await put('theirs', 'of another tenant')
    const client = await behind({ refuseUnsignedAmzHeaders: true })
    const source = { 'x-amz-copy-source': `/${bucket}/theirs` }
    const attack = await client.send({ method: 'PUT', key: 'stolen', unsignedHeaders: source })
    expect([attack.status, attack.code]).toEqual([403, 'AccessDenied'])
    expect((await client.send({ method: 'HEAD', key: 'stolen' })).status).toBe(404)
    expect((await client.send({ method: 'PUT', key: 'copied', headers: source })).status).toBe(200)
  })

  it('lets the attack through without it, as the store does', async () => {
    await put('theirs', 'of another tenant')
    const client = await behind({})
    const source = { 'x-amz-copy-source': `/${bucket}/theirs` }
    expect((await client.send({ method: 'PUT', key: 'taken', unsignedHeaders: source })).status).toBe(200)
    expect((await client.send({ method: 'GET', key: 'taken' })).text).toBe('of another tenant')
  })
})

describe('startStoreProxy, ignoreHeaders', () => {
  it('overwrites what If-None-Match should have kept', async () => {
    await put('kept', 'first')
    const client = await behind({ ignoreHeaders: ['if-none-match'] })
    const headers = { 'if-none-match': '*' }
    expect((await client.send({ method: 'PUT', key: 'kept', body: 'second', headers })).status).toBe(200)
    expect((await client.send({ method: 'GET', key: 'kept' })).text).toBe('second')
  })

  it('takes a body that is not the one that was hashed', async () => {
    const client = await behind({ ignoreHeaders: ['x-amz-content-sha256'] })
    const request = {
      method: 'PUT',
      key: 'other',
      body: 'other bytes',
      payloadSha256: sha256('my bytes'),
    } as const
    expect((await client.send(request)).status).toBe(200)
    const strict = await behind({})
    expect((await strict.send(request)).status).toBe(400)
  })

  it('copies over a stale pin', async () => {
    await put('source', 'now')
    const client = await behind({ ignoreHeaders: ['x-amz-copy-source-if-match'] })
    const headers = {
      'x-amz-copy-source': `/${bucket}/source`,
      'x-amz-copy-source-if-match': 'd41d8cd98f00b204e9800998ecf8427e',
    }
    expect((await client.send({ method: 'PUT', key: 'unpinned', headers })).status).toBe(200)
    const strict = await behind({})
    expect((await strict.send({ method: 'PUT', key: 'pinned', headers })).status).toBe(412)
  })

  it('signs nothing for a client with other keys', async () => {
    const client = await behind({ ignoreHeaders: ['if-none-match'] })
    const as = { accessKeyId: 'SOMEBODYELSE', secretAccessKey: 'of another account' }
    const headers = { 'if-none-match': '*' }
    expect((await client.send({ method: 'PUT', key: 'no', body: 'x', headers, as })).status).toBe(403)
  })
})

describe('startStoreProxy, honourCopyPin', () => {
  it('refuses a stale pin and copies under the right one', async () => {
    const etag = await put('pin source', 'bytes')
    const client = await behind({ honourCopyPin: true, ignoreHeaders: ['x-amz-copy-source-if-match'] })
    const copy = (pin: string) =>
      client.send({
        method: 'PUT',
        key: 'pin-copy',
        headers: { 'x-amz-copy-source': `/${bucket}/pin source`, 'x-amz-copy-source-if-match': pin },
      })
    expect((await copy('d41d8cd98f00b204e9800998ecf8427e')).status).toBe(412)
    expect((await copy(etag)).status).toBe(200)
  })
})

describe('startStoreProxy, answers of its own', () => {
  it('overloads on lists only', async () => {
    const client = await behind({ answer: (request) => (isList(request) ? overloadPage : null) })
    const list = await client.send({ method: 'GET', key: null, query: { 'list-type': '2' } })
    expect([list.status, list.headers.get('content-type')]).toEqual([429, 'text/html'])
    expect((await client.send({ method: 'PUT', key: 'fine', body: 'x' })).status).toBe(200)
  })

  it('answers before it has the body', async () => {
    const client = await behind({ answer: () => overloadPage })
    const body = 'x'.repeat(8 * 1024 * 1024)
    expect((await client.send({ method: 'PUT', key: 'large', body })).status).toBe(429)
  })

  it('sets the clock of the store', async () => {
    const client = await behind({ clockSkewSeconds: 3600 })
    const { headers } = await client.send({ method: 'HEAD', key: 'fine' })
    const ahead = (Date.parse(headers.get('date') ?? '') - Date.now()) / 1000
    expect(ahead).toBeGreaterThan(3590)
    expect(ahead).toBeLessThan(3610)
  })
})

describe('startStoreProxy, withoutCors', () => {
  const preflight = (endpoint: string) =>
    fetch(`${endpoint}/${bucket}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://ui.example', 'access-control-request-method': 'POST' },
    })
  const permissions = (answer: Response) =>
    [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))

  it('lets no page ask, and tells none what was answered', async () => {
    const proxy = await startStoreProxy(store, { withoutCors: true })
    stops.push(proxy.stop)
    expect((await preflight(proxy.endpoint)).status).toBe(403)
    const headers = { origin: 'https://ui.example' }
    const answer = await fetch(`${proxy.endpoint}/${bucket}`, { method: 'POST', headers })
    expect(permissions(answer)).toEqual([])
  })

  it('leaves both to the store otherwise', async () => {
    const proxy = await startStoreProxy(store, {})
    stops.push(proxy.stop)
    const answer = await preflight(proxy.endpoint)
    expect(answer.ok).toBe(true)
    expect(permissions(answer)).toContain('access-control-allow-origin')
  })
})

describe('startStoreProxy, requestBytesPerSecondMax', () => {
  it('holds a body back until it is let go, and changes none of it', async () => {
    const behaviours: StoreBehaviours = { requestBytesPerSecondMax: 0 }
    const client = await behind(behaviours)
    const body = 'x'.repeat(1024 * 1024)
    let isThere = false
    const sent = client.send({ method: 'PUT', key: 'slow', body }).then((answer) => {
      isThere = true
      return answer
    })
    await put('meanwhile', 'another went straight to the store')
    expect(isThere).toBe(false)
    behaviours.requestBytesPerSecondMax = undefined
    expect((await sent).status).toBe(200)
    expect((await client.send({ method: 'GET', key: 'slow' })).text).toBe(body)
  })
})
