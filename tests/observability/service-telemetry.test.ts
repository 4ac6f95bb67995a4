import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { StoreConnection } from '../../compose/servers/running-store.ts'
import type { Deployment, Launch, RunningServer } from '../../observability/proof/deployment.ts'
import { readLokiChunk } from '../../observability/proof/formats/loki-chunk.ts'
import { parseChunkKey } from '../../observability/proof/formats/loki-keys.ts'
import { parseBlockKey } from '../../observability/proof/formats/tempo-keys.ts'
import { flush } from '../../observability/proof/servers/ask.ts'
import { type FoundLine, queryLines } from '../../observability/proof/servers/loki-api.ts'
import { openNativeDeployment } from '../../observability/proof/servers/native-deployment.ts'
import { type FoundSpan, traceById } from '../../observability/proof/servers/tempo-api.ts'
import { listObjects, readObject } from '../../observability/proof/store/objects.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { callerOf } from '../support/service/caller.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { type SpawnedService, serviceInChild } from '../support/service/service-for-tests.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { storeForTests } from '../support/stores/store.ts'
import { eventually, until } from '../support/waiting.ts'

let store: StoreConnection
/** Of documents, logs and traces: only prefixes keep them apart. */
let bucket: string
let objects: ReturnType<typeof createS3ObjectStore>
let deployment: Deployment
let loki: RunningServer
let tempo: RunningServer
/** Around all that happens here, in milliseconds. */
let range: { from: number; to: number }

beforeAll(async () => {
  store = await storeForTests()
  bucket = await freshBucket(store)
  objects = createS3ObjectStore({ ...store, bucket, connectionsMax: 8 })
  deployment = await openNativeDeployment({ store, onProgress: () => {} })
  const started = await Promise.all([
    deployment.start({ server: 'loki', name: 'loki', variants: ['s3-thanos'], bucket, prefix: 'loki/' }),
    deployment.start(tempoLaunch()),
  ])
  ;[loki, tempo] = started
  range = { from: Date.now() - 60_000, to: Date.now() + 600_000 }
}, 900_000)

afterAll(async () => {
  await deployment?.close()
  objects?.close()
})

function tempoLaunch(): Launch {
  return { server: 'tempo', name: 'tempo', variants: ['s3'], bucket, prefix: 'tempo/' }
}

/** An upload that was answered. */
interface Upload {
  correlationId: string
  digest: string
  /** As the answer said. */
  traceId: string
  spanId: string
}

/** Starts the service, which tells Loki and Tempo, uploads a document and stops it: all is sent then. */
async function upload(protocol: 'http/json' | 'http/protobuf'): Promise<Upload> {
  const service: SpawnedService = await serviceInChild({
    store,
    env: {
      S3_BUCKET_DOCS: bucket,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${tempo.otlpUrl}/v1/traces`,
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${loki.otlpUrl}/v1/logs`,
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    },
  })
  const correlationId = `upload-${crypto.randomUUID()}`
  const call = await callerOf(service)
  const headers = { 'x-correlation-id': correlationId }
  const response = await call(`bundles/${correlationId}`, { method: 'PUT', body: correlationId, headers })
  const [, traceId = '', spanId = ''] = response.headers.get('traceparent')?.split('-') ?? []
  await service.stop()
  expect(response.status).toBe(201)
  expect(service.logs().map(({ event }) => event)).not.toContain('telemetry.unsent')
  return { correlationId, digest: digestOf(correlationId), traceId, spanId }
}

const ours = '{service_name="cloudlysis-documents"}'

async function linesOf({ correlationId }: Upload): Promise<FoundLine[]> {
  const query = `${ours} | cloudlysis_correlation_id="${correlationId}"`
  return until(async () => {
    const { lines } = await queryLines(loki, query, range)
    return lines.length === 3 && lines
  })
}

async function spansOf({ traceId }: Upload): Promise<FoundSpan[]> {
  return until(async () => {
    const trace = await traceById(tempo, traceId)
    return trace !== null && trace.spans.length >= 3 && trace.spans
  })
}

async function expectFound(uploaded: Upload): Promise<void> {
  const { correlationId, digest, traceId, spanId } = uploaded
  const lines = await linesOf(uploaded)
  expect(lines.map(({ text }) => JSON.parse(text))).toMatchObject([
    { kind: 'audit', event: 'access.decided', action: 'document.put', correlationId, traceId },
    { kind: 'audit', event: 'access.answered', action: 'document.put', correlationId, traceId },
    { kind: 'log', event: 'request.answered', status: 201, correlationId, traceId, digest },
  ])
  for (const { labels, structuredMetadata } of lines) {
    expect(labels).toMatchObject({ service_name: 'cloudlysis-documents' })
    expect(structuredMetadata).toMatchObject({
      trace_id: traceId,
      span_id: spanId,
      cloudlysis_tenant: 'acme',
    })
  }

  const spans = await spansOf(uploaded)
  const request = spans.find((span) => span.spanId === spanId)
  expect(request).toMatchObject({
    name: 'PUT /v1/tenants/:tenant/documents/:type/:name',
    serviceName: 'cloudlysis-documents',
    attributes: {
      'cloudlysis.correlation_id': correlationId,
      'cloudlysis.tenant': 'acme',
      'cloudlysis.document.digest': digest,
    },
  })
  const calls = spans.filter((span) => span.parentSpanId === spanId).map(({ name }) => name)
  expect(calls.sort()).toEqual(['S3 PutObject', 'S3 PutObject'])
}

describe('an upload to the service', () => {
  let uploaded: Upload

  it('is found in Loki by its correlation id, and in Tempo by the id of its trace', async () => {
    uploaded = await upload('http/json')
    await expectFound(uploaded)
  })

  it('is found in Loki by the id of its trace as well', async () => {
    const { lines } = await queryLines(loki, `${ours} | trace_id="${uploaded.traceId}"`, range)
    expect(lines.map(({ text }) => JSON.parse(text).correlationId)).toEqual([
      uploaded.correlationId,
      uploaded.correlationId,
      uploaded.correlationId,
    ])
  })

  it('is found the same way if it is sent as protobuf', async () => {
    await expectFound(await upload('http/protobuf'))
  })

  it('is in objects of Loki and Tempo below their prefixes, and nowhere else', async () => {
    await flush(loki)
    await flush(tempo)
    const { correlationId, traceId } = uploaded
    const chunk = await until(async () => {
      const keys = [...(await listObjects(objects)).keys()].filter((key) => parseChunkKey(key) !== null)
      return firstOf(keys, async (key) => {
        const { contents } = readLokiChunk((await readObject(objects, key)) ?? new Uint8Array())
        return Buffer.from(contents).includes(correlationId)
      })
    })
    expect(chunk).toStartWith('loki/fake/')
    const metas = await until(async () => {
      const keys = [...(await listObjects(objects)).keys()]
      const found = keys.filter((key) => parseBlockKey(key)?.file === 'meta.json')
      return found.length > 0 && found
    })
    // It has nothing but the bucket to answer from.
    const fresh = await deployment.start({ ...tempoLaunch(), name: 'tempo-fresh' })
    const block = await firstOf(metas, async (key) => {
      return (await traceById(fresh, traceId, { block: parseBlockKey(key)?.block ?? '' })) !== null
    })
    expect(block).toStartWith('tempo/single-tenant/')
    const places = new Set([...(await listObjects(objects)).keys()].map((key) => key.split('/')[0]))
    expect([...places].sort()).toEqual(['docs', 'loki', 'tempo'])
  })
})

describe('the history of a document', () => {
  it('is asked of Loki by the service: who pointed which tag at what, of one tenant and document', async () => {
    const service = await serviceInChild({
      store,
      env: {
        S3_BUCKET_DOCS: bucket,
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${loki.otlpUrl}/v1/logs`,
        AUDIT_QUERY_URL: loki.url,
      },
    })
    const as = async (sub: string) =>
      callerOf(service, await service.token({ sub, tenants: ['acme', 'globex'] }))
    const [alice, bob] = [await as('alice'), await as('bob')]
    const history = 'bundles/asked/history'
    const path = (tenant: string, rest: string) => `/v1/tenants/${tenant}/documents/bundles/${rest}`
    const move = (text: string) => ({
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ digest: digestOf(text) }),
    })
    for (const text of ['1', '2']) await alice('bundles/asked', { method: 'PUT', body: text })
    await alice('bundles/asked/tags/production', move('1'))
    await bob('bundles/asked/tags/production', move('2'))
    await bob('bundles/asked/tags/production', move('absent'))
    await alice('bundles/asked/tags/production', { method: 'DELETE' })
    // What must not be among it: another tag, document and tenant.
    await alice('bundles/asked/tags/staging', move('2'))
    for (const [tenant, name] of [
      ['acme', 'other'],
      ['globex', 'asked'],
    ] as const) {
      await alice(path(tenant, name), { method: 'PUT', body: '1' })
      await alice(path(tenant, `${name}/tags/production`), move('1'))
    }
    async function changesOf(caller: typeof alice, query: string) {
      const response = await caller(`${history}${query}`)
      expect(response.status).toBe(200)
      const { changes } = (await response.json()) as { changes: Record<string, unknown>[] }
      return changes.map(({ tag, action, by, digest, previousDigest }) => [
        tag,
        action,
        by,
        digest,
        previousDigest,
      ])
    }
    const [one, two] = [digestOf('1'), digestOf('2')]
    const production = [
      ['production', 'tag.delete', 'alice', null, two],
      ['production', 'tag.put', 'bob', two, one],
      ['production', 'tag.put', 'alice', one, null],
    ]
    await eventually(() => changesOf(alice, '?tag=production'), production)
    await eventually(
      () => changesOf(bob, ''),
      [
        ['staging', 'tag.put', 'alice', two, null],
        ...production,
        ['latest', 'document.put', 'alice', two, null],
        ['latest', 'document.put', 'alice', one, null],
      ],
    )
    await service.stop()
  })
})

async function firstOf(
  keys: string[],
  holds: (key: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const key of keys) if (await holds(key)) return key
  return undefined
}
