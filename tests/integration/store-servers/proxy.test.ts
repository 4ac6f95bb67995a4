import { afterAll, describe, expect, it } from 'bun:test'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { S3Connection } from '../../../service/object-store/s3/connection.ts'
import { createProbeClient, type ProbeClient } from '../../../service/object-store/s3/probe-client.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { overloadPage, type StoreBehaviours, startStoreProxy } from '../../support/stores/strict-proxy.ts'

const stops: (() => Promise<void>)[] = []

const store = await storeForTests('minio')
const bucket = await freshBucket(store)

afterAll(async () => {
  for (const stop of stops) await stop()
})

const connect = (to: StoreConnection): S3Connection => ({ ...to, bucket, connectionsMax: 8 })

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

describe('startStoreProxy without behaviours', () => {
  it('forwards bodies, ranges and HEAD with their lengths', async () => {
    const client = await behind({})
    expect((await client.send({ method: 'PUT', key: 'plain', body: '0123456789' })).status).toBe(200)
    const whole = await client.send({ method: 'GET', key: 'plain' })
    expect([whole.text, whole.headers.get('content-length')]).toEqual(['0123456789', '10'])
    const range = await client.send({ method: 'GET', key: 'plain', headers: { range: 'bytes=2-4' } })
    expect([range.status, range.text]).toEqual([206, '234'])
    const head = await client.send({ method: 'HEAD', key: 'plain' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10'])
  })

  it('lets the store verify signatures', async () => {
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

describe('startStoreProxy with refuseUnsignedAmzHeaders', () => {
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

describe('startStoreProxy with answers of its own', () => {
  it('answers only the requests that are chosen', async () => {
    const client = await behind({ answer: ({ query }) => ('list-type' in query ? overloadPage : null) })
    const list = await client.send({ method: 'GET', key: null, query: { 'list-type': '2' } })
    expect([list.status, list.headers.get('content-type')]).toEqual([429, 'text/html'])
    expect((await client.send({ method: 'PUT', key: 'fine', body: 'x' })).status).toBe(200)
  })

  it('answers before it has the body', async () => {
    const client = await behind({ answer: () => overloadPage })
    const body = 'x'.repeat(8 * 1024 * 1024)
    expect((await client.send({ method: 'PUT', key: 'large', body })).status).toBe(429)
  })

  it('shifts the clock of the store', async () => {
    const client = await behind({ clockSkewSeconds: 3600 })
    const { headers } = await client.send({ method: 'HEAD', key: 'fine' })
    const ahead = (Date.parse(headers.get('date') ?? '') - Date.now()) / 1000
    expect(ahead).toBeGreaterThan(3590)
    expect(ahead).toBeLessThan(3610)
  })
})

describe('startStoreProxy with withoutCors', () => {
  const preflight = (endpoint: string) =>
    fetch(`${endpoint}/${bucket}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://ui.example', 'access-control-request-method': 'POST' },
    })
  const permissions = (answer: Response) =>
    [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))

  it('refuses preflights, and answers without CORS headers', async () => {
    const proxy = await startStoreProxy(store, { withoutCors: true })
    stops.push(proxy.stop)
    expect((await preflight(proxy.endpoint)).status).toBe(403)
    const headers = { origin: 'https://ui.example' }
    const answer = await fetch(`${proxy.endpoint}/${bucket}`, { method: 'POST', headers })
    expect(permissions(answer)).toEqual([])
  })

  it('leaves both to the store without it', async () => {
    const proxy = await startStoreProxy(store, {})
    stops.push(proxy.stop)
    const answer = await preflight(proxy.endpoint)
    expect(answer.ok).toBe(true)
    expect(permissions(answer)).toContain('access-control-allow-origin')
  })
})

describe('startStoreProxy with requestBytesPerSecondMax', () => {
  it('holds a body back until it is released, and changes none of it', async () => {
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
