import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { freePort } from '../../compose/servers/free-port.ts'
import { registerSecret } from '../support/secrets.ts'
import { KiB, pathOf, randomDocument } from '../support/service/sample-documents.ts'
import {
  type ServiceForTests,
  serviceInChild,
  serviceInProcess,
} from '../support/service/service-for-tests.ts'
import { startPrivateStore } from '../support/stores/store.ts'
import { type OpenStore, startOpenStore } from '../support/stores/store-contents.ts'
import { relayTo } from '../support/stores/tcp-relay.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(600_000)

let disk: OpenStore

beforeEach(async () => {
  disk = await startOpenStore()
})

afterEach(() => disk.stop())

const path = pathOf('snapshots', 'orders.bin')

async function put(service: ServiceForTests, body = randomDocument(KiB)) {
  const headers = { authorization: `Bearer ${await service.token()}` }
  const response = await fetch(`${service.url}${path}`, { method: 'PUT', headers, body })
  return { status: response.status, text: await response.text() }
}

async function statusOf(service: ServiceForTests, page: string): Promise<number> {
  return (await fetch(`${service.url}${page}`)).status
}

describe('a store that refuses connections when the service starts', () => {
  it('makes calls fail with 503 until it is up, without a restart of the service', async () => {
    const port = await freePort()
    const env = { S3_ENDPOINT: `http://127.0.0.1:${port}` }
    const service = await serviceInChild({ store: disk, env, startedBy: '/livez' })
    try {
      expect(await statusOf(service, '/readyz')).toBe(503)
      expect((await put(service)).status).toBe(503)
      // The same disk, where the service looks for it.
      await disk.kill()
      const { accessKeyId, secretAccessKey, dataDir } = disk
      const credentials = { accessKeyId, secretAccessKey }
      const late = await startPrivateStore({ dataDir, port, credentials })
      await until(async () => (await statusOf(service, '/readyz')) === 200)
      expect((await put(service)).status).toBe(201)
      await service.stop()
      await late.stop()
    } finally {
      await service.stop()
    }
  })
})

describe('a store that refuses our credentials', () => {
  it('causes a 502, and neither the answer nor the log reveals more than that', async () => {
    const secret = crypto.randomUUID()
    registerSecret(secret)
    const env = { S3_SECRET_ACCESS_KEY: secret }
    const service = await serviceInChild({ store: disk, env, startedBy: '/livez' })
    try {
      expect(await statusOf(service, '/readyz')).toBe(503)
      const { status, text } = await put(service)
      expect(status).toBe(502)
      expect(JSON.parse(text).code).toBe('store_refused')
      expect(text).not.toContain(disk.accessKeyId)
      expect(text).not.toContain(new URL(disk.endpoint).host)
      expect(service.printed()).toContain('SignatureDoesNotMatch')
      expect(service.printed()).not.toContain(secret)
      expect(service.printed()).not.toContain('AWS4-HMAC')
    } finally {
      await service.stop()
    }
  })
})

describe('a store whose connections break occasionally', () => {
  it('receives a small body a second time, and the client does not notice', async () => {
    const relay = relayTo(Number(new URL(disk.endpoint).port))
    const endpoint = `http://127.0.0.1:${relay.port}`
    const service = await serviceInProcess({ store: { ...disk, endpoint } })
    try {
      relay.requests.length = 0
      relay.lose(1, /^PUT .*\/documents\//)
      expect((await put(service)).status).toBe(201)
      expect(
        relay.requests.filter((line) => line.startsWith('PUT') && line.includes('/documents/')),
      ).toHaveLength(2)
    } finally {
      await service.stop()
      relay.stop()
    }
  })
})
