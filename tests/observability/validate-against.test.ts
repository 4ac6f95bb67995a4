import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { join } from 'node:path'
import { freePort } from '../../compose/servers/free-port.ts'
import { renderCollector } from '../../observability/config/render.ts'
import type { ServerName } from '../../observability/proof/deployment.ts'
import { parseChunkKey } from '../../observability/proof/formats/loki-keys.ts'
import { newMarker } from '../../observability/proof/marker.ts'
import { flush } from '../../observability/proof/servers/ask.ts'
import { openNativeDeployment } from '../../observability/proof/servers/native-deployment.ts'
import { sendLog, sendTrace } from '../../observability/proof/servers/otlp.ts'
import { folderForTests } from '../support/folder.ts'
import { keysIn } from '../support/observability/bucket-objects.ts'
import { startCollector } from '../support/observability/collector-server.ts'
import { idsWith, reportIn, storeVariables, validate } from '../support/observability/validate-program.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { storeForTests } from '../support/stores/store.ts'
import { until } from '../support/waiting.ts'

// Time limits catch what hangs, and are far above what a busy machine needs.
const millisecondsMax = 20 * 60_000
setDefaultTimeout(millisecondsMax)
/** Tenant of the Collector's variant for several tenants. */
const tenant = 'cloudlysis'

const store = await storeForTests()
const folder = await folderForTests('validate-against-')
const deployment = await openNativeDeployment({ store, onProgress: () => {} })
const buckets = { loki: await freshBucket(store), tempo: await freshBucket(store) }
const singleBucket = await freshBucket(store)
const start = (name: string, server: ServerName, bucket: string, variants: string[]) =>
  deployment.start({ server, name, bucket, prefix: `${server}/`, variants })
const [loki, tempo, alone] = await Promise.all([
  start('shared-loki', 'loki', buckets.loki, ['s3-thanos', 'multi-tenant']),
  start('shared-tempo', 'tempo', buckets.tempo, ['s3', 'multi-tenant']),
  start('single-loki', 'loki', singleBucket, ['s3-thanos']),
])
const shared = { loki, tempo }
const single = alone
const collector = await startCollector({
  config: (places) =>
    renderCollector(['multi-tenant'], { lokiUrl: loki.url, tempoUrl: tempo.otlpUrl, places }),
})
for (const orgId of [tenant, 'another']) {
  await sendLog({ otlpUrl: loki.otlpUrl, orgId }, newMarker())
  await sendTrace({ otlpUrl: tempo.otlpUrl, orgId }, newMarker())
}
await flush({ url: loki.url })
await until(async () => chunksAmong(await keysIn(store, buckets.loki)).length === 2)

afterAll(async () => {
  await collector?.stop()
  await deployment?.close()
})

describe('bun run validate --against', () => {
  it('proves of running servers what can be seen from outside, and reports what was not asked', async () => {
    const before = await keysIn(store, buckets.loki)
    const { loki, tempo } = shared
    const against = [
      '--against',
      `loki=${loki.url},tempo=${tempo.url}`,
      '--against',
      `otlp=${collector.otlpUrl}`,
    ]
    const env = await storeVariables(store, buckets, folder)
    const result = await validate([...against, '--tenant', tenant, ...options('shared')], env)
    const report = reportIn(result)
    expect(idsWith(report, 'failed', 'missing', 'not run')).toEqual([])
    expect(idsWith(report, 'proved')).toEqual([
      'setup',
      'loki.reach',
      'loki.landing',
      'loki.objects',
      'loki.query',
      'loki.containment',
      'tempo.reach',
      'tempo.landing',
      'tempo.objects',
      'tempo.query',
      'tempo.containment',
      'join.log-to-trace',
      'join.trace-to-log',
    ])
    expect(idsWith(report, 'not asked')).toEqual(
      expect.arrayContaining(['loki.read-back', 'loki.origin', 'loki.untouched', 'tempo.wrong-secret']),
    )
    expect(result.exitCode).toBe(0)
    const fresh = chunksAmong(await keysIn(store, buckets.loki)).filter((key) => !before.includes(key))
    expect(fresh).toEqual([expect.stringMatching(new RegExp(`^loki/${tenant}/`))])
  })

  it('writes nothing but its marker, and does not ask for the join with one server', async () => {
    const env = await storeVariables(store, { loki: singleBucket }, folder)
    const result = await validate(['--against', `loki=${single.url}`, ...options('single')], env)
    const report = reportIn(result)
    expect(report).toMatchObject({ exitCode: 0, deployment: 'against' })
    expect(idsWith(report, 'not asked')).toContain('join.trace-to-log')
    const keys = await keysIn(store, singleBucket)
    expect(chunksAmong(keys)).toEqual([expect.stringMatching(/^loki\/fake\/[0-9a-f]+\/[0-9a-f:]+$/)])
    expect(keys.filter((key) => !/^loki\/(fake|index)\//.test(key))).toEqual([])
  })

  it('fails at containment if the deployment has another prefix than the configuration', async () => {
    const env = {
      ...(await storeVariables(store, { loki: singleBucket }, folder)),
      S3_PREFIX_LOKI: 'logs/',
    }
    const wait = ['--wait', '3']
    const result = await validate(['--against', `loki=${single.url}`, ...wait, ...options('prefix')], env)
    const report = reportIn(result)
    expect(idsWith(report, 'failed')).toEqual(['loki.containment'])
    expect(report.checks.find(({ id }) => id === 'loki.containment')?.seen).toContain('outside: loki/fake/')
    expect(result.exitCode).toBe(1)
  })

  it('fails at landing if the deployment has another bucket than the configuration', async () => {
    const env = await storeVariables(store, { loki: await freshBucket(store) }, folder)
    const wait = ['--wait', '3']
    const result = await validate(['--against', `loki=${single.url}`, ...wait, ...options('bucket')], env)
    expect(idsWith(reportIn(result), 'failed')).toEqual(['loki.landing'])
    expect(result.exitCode).toBe(1)
  })

  it('exits with 3 if no server answers', async () => {
    const env = await storeVariables(store, { tempo: buckets.tempo }, folder)
    const nowhere = `tempo=http://127.0.0.1:${await freePort()}`
    const result = await validate(['--against', nowhere, ...options('nowhere')], env)
    expect(idsWith(reportIn(result), 'missing')).toEqual(['tempo.reach'])
    expect(result.exitCode).toBe(3)
  })
})

function options(name: string): string[] {
  return ['--json', '--evidence', join(folder, name)]
}

/** Leaves out the index, which Loki writes every quarter of an hour, whatever a test does then. */
function chunksAmong(keys: readonly string[]): string[] {
  return keys.filter((key) => parseChunkKey(key) !== null)
}
