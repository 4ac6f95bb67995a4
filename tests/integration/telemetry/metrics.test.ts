import { describe, expect, it } from 'bun:test'
import { callerOf } from '../../support/service/caller.ts'
import { probed } from '../../support/service/probed.ts'
import { digestOf, KiB, keyOf, MiB, randomDocument } from '../../support/service/sample-documents.ts'
import { startTelemetryScene } from '../../support/service/telemetry-scene.ts'
import { ticketCalls } from '../../support/service/ticket-calls.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { startPrivateStore } from '../../support/stores/store.ts'
import { until } from '../../support/waiting.ts'

const template = '/v1/tenants/:tenant/documents/:type/:name'

const store = stoppedAfterTests(await startPrivateStore())
const scene = stoppedAfterTests(await startTelemetryScene({ store }))
const call = await callerOf(scene.service)
const alice = await ticketCalls(scene.service)

async function scraped(): Promise<string> {
  return (await fetch(scene.metricsUrl)).text()
}

/** Everything that a label says anywhere, without the bounds of buckets. */
async function labelValues(label: string): Promise<string[]> {
  const found = (await scraped()).matchAll(new RegExp(`[{,]${label}="([^"]*)"`, 'g'))
  return [...new Set(Array.from(found, ([, value = '']) => value))].sort()
}

/** Bytes whose object in the store is then changed. */
async function damaged(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  expect((await call(`bundles/${name}`, { method: 'PUT', body: bytes })).status).toBe(201)
  const digest = digestOf(bytes)
  const others = bytes.with(0, (bytes[0] ?? 0) ^ 1)
  const contentType = 'application/octet-stream'
  await scene.service.store.put(keyOf('bundles', name, digest), others, { size: others.length, contentType })
  return digest
}

describe('/metrics', () => {
  it('is read by Prometheus without a complaint of its linter', async () => {
    await call('bundles/a', { method: 'PUT', body: 'a' })
    const promtool = Bun.spawn(['promtool', 'check', 'metrics'], {
      stdin: new Blob([await scraped()]),
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const said = await new Response(promtool.stdout).text()
    expect([await promtool.exited, said, await new Response(promtool.stderr).text()]).toEqual([0, '', ''])
  })

  it('is on a listener of its own, which has nothing else', async () => {
    expect((await fetch(`${scene.service.url}/metrics`)).status).toBe(404)
    const { origin } = new URL(scene.metricsUrl)
    expect((await fetch(`${origin}/livez`)).status).toBe(404)
    expect((await fetch(`${origin}/v1/tenants/acme/documents`)).status).toBe(404)
    const posted = await fetch(scene.metricsUrl, { method: 'POST', body: 'a' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    const head = await fetch(scene.metricsUrl, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
  })

  it('has the metrics of the process', async () => {
    const text = await scraped()
    expect(await scene.metric('process_resident_memory_bytes')).toBeGreaterThan(10 * MiB)
    expect(await scene.metric('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(await scene.metric('nodejs_heap_size_used_bytes')).toBeGreaterThan(MiB)
    // Every scrape resets it.
    await until(async () => Number(await scene.metric('nodejs_eventloop_lag_max_seconds')) > 0)
    expect(text).toMatch(/^build_info\{version="\d+\.\d+\.\d+"\} 1$/m)
  })
})

describe('requests', () => {
  it('are counted by route, method and status', async () => {
    const series = `http_server_request_duration_seconds_count{method="PUT",route="${template}",status="201"}`
    const before = (await scene.metric(series)) ?? 0
    await call('bundles/counted', { method: 'PUT', body: 'counted' })
    expect(await scene.metric(series)).toBe(before + 1)
    expect(await scene.metric('http_server_active_requests')).toBe(0)
  })

  it('create no series of their own, whatever tenants, names and methods callers invent', async () => {
    const anyone = await callerOf(scene.service, null)
    const before = (await scraped()).split('\n').length
    for (let caller = 0; caller < 30; caller += 1) {
      const odd = crypto.randomUUID()
      await anyone(`/v1/tenants/${odd}/documents/bundles/${odd}`)
      await anyone(`/${odd}`)
      await call(`${odd}/${odd}`)
      await call(`bundles/${odd}`, { method: caller % 2 === 0 ? 'PROPFIND' : 'M-SEARCH' })
    }
    const after = (await scraped()).split('\n').length
    // A histogram for each new one of a few combinations; one for each caller would be more than 500 lines.
    expect(after - before).toBeLessThan(200)
    expect(await labelValues('route')).toEqual(['/readyz', template, 'none'])
    const methods = (await labelValues('method')).filter((method) => method !== 'PUT')
    expect(methods).toEqual(['GET', 'none', 'other', 'post', 'put'])
  })
})

describe('calls to the store', () => {
  it('are counted one by one, with their outcome', async () => {
    const put = 'object_store_call_duration_seconds_count{operation="PutObject",outcome="ok"}'
    const before = (await scene.metric(put)) ?? 0
    await call('bundles/stored', { method: 'PUT', body: 'stored' })
    // The bytes, and `latest`.
    expect(await scene.metric(put)).toBe(before + 2)
    expect(await scene.metric('documents_store_reachable')).toBe(1)
  })

  it('show which tickets were issued, and what the store is known to do', async () => {
    const given = 'documents_upload_tickets_total{method="post"}'
    await probed(scene.service)
    expect(await scene.metric(given)).toBe(0)
    await alice.ticketFor('ticketed', randomDocument(KiB))
    expect(await scene.metric(given)).toBe(1)
    expect(await scene.metric('documents_store_capability{capability="ticket_method",state="post"}')).toBe(1)
    expect(await scene.metric('documents_store_capability{capability="digest_enforced",state="yes"}')).toBe(1)
  })

  it('show damage, whether it was found before the answer or within it', async () => {
    const small = await damaged('damaged-small', randomDocument(KiB))
    const large = await damaged('damaged-large', randomDocument(MiB))
    expect(await scene.metric('documents_integrity_mismatches_total')).toBe(0)
    expect((await call(`bundles/damaged-small/versions/${small}`)).status).toBe(500)
    expect(await scene.metric('documents_integrity_mismatches_total')).toBe(1)
    expect(await scene.metric('http_server_responses_broken_off_total')).toBe(0)
    const broken = await call(`bundles/damaged-large/versions/${large}`)
    await broken.bytes().catch(() => {})
    expect(await scene.metric('documents_integrity_mismatches_total')).toBe(2)
    expect(await scene.metric('http_server_responses_broken_off_total')).toBe(1)
  })

  it('show that the store is unreachable', async () => {
    await store.kill()
    // By digest: a read by tag asks for the record and the bytes at the same time.
    expect((await call(`bundles/a/versions/${digestOf('a')}`)).status).toBe(503)
    expect(await scene.metric('documents_store_reachable')).toBe(0)
    const lost = 'object_store_call_duration_seconds_count{operation="GetObject",outcome="unavailable"}'
    expect(await scene.metric(lost)).toBe(1)
    const failed = `http_server_request_duration_seconds_count{method="GET",route="${template}/versions/:digest",status="503"}`
    expect(await scene.metric(failed)).toBe(1)
  })
})
