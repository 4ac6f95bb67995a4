import { beforeEach, describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { startLocalIssuer } from '../../../service/cli/local-issuer/issuer.ts'
import { writeLocalStart } from '../../../service/cli/local-issuer/starts.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { runScript, variablesOf } from '../../support/commands/script-run.ts'
import { folderForTests } from '../../support/folder.ts'
import { registerSecret } from '../../support/secrets.ts'
import { ownService } from '../../support/service/own-service.ts'
import { serviceInProcess } from '../../support/service/service-for-tests.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { keysOf } from '../../support/stores/store-contents.ts'

const { service } = await ownService()
const folder = await folderForTests('smoke-')
const tokenFile = join(folder, 'token')

beforeEach(async () => {
  await Bun.write(tokenFile, `${await service.token()}\n`)
})

const asked = () => ['--url', service.url, '--tenant', 'acme', '--token-file', tokenFile, '--local', folder]

const smoke = (args: string[] = [], env: Record<string, string> = variablesOf(service.connection)) =>
  runScript('smoke', [...asked(), ...args], env)

interface Report {
  exitCode: number
  left: boolean
  marker: { type: string; name: string; digest: string }
  checks: { id: string; verdict: string; seen: string; reason: string }[]
}

async function smokeJson(args: string[] = [], env?: Record<string, string>) {
  const run = await smoke(['--json', ...args], env)
  const report: Report = JSON.parse(run.out)
  const verdicts = Object.fromEntries(report.checks.map(({ id, verdict }) => [id, verdict]))
  return { ...run, report, verdicts }
}

describe('bun run smoke', () => {
  it('tries the whole life of a document, finds its objects under the prefix, and leaves its record alone', async () => {
    const { exitCode, out } = await smoke()
    expect(exitCode).toBe(0)
    expect(out).toContain('✓ the service is ready  [smoke.ready')
    expect(out).toMatch(/\n {4}docs\/tenants\/acme\/documents\/smoke-test\/marker-\d+\.bin\/[0-9a-f]{64}\n/)
    expect(out).toMatch(/\n {4}docs\/tenants\/acme\/records\/smoke-test\/marker-\d+\.bin\n/)
    expect(out).toEndWith('9 proved: everything that was asked is proved (exit code 0)\n')
    const left = await keysOf(service.store, 'tenants/')
    expect(left).toEqual([expect.stringMatching(/^tenants\/acme\/records\/smoke-test\/marker-\d+\.bin$/)])
  })

  it('reports the same as JSON', async () => {
    const { exitCode, report, verdicts } = await smokeJson()
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['proved']))
    expect(report).toMatchObject({ exitCode: 0, left: false, marker: { type: 'smoke-test' } })
    expect(exitCode).toBe(0)
  })

  it('checks no store that is not configured, unless --objects insists', async () => {
    const quiet = await smokeJson([], {})
    expect(quiet.verdicts).toMatchObject({ 'smoke.objects': 'not asked', 'smoke.objects-gone': 'not asked' })
    expect(quiet.exitCode).toBe(0)
    const insisting = await smokeJson(['--objects'], {})
    expect(insisting.verdicts).toMatchObject({ 'smoke.objects': 'missing', 'smoke.delete': 'proved' })
    expect(insisting.exitCode).toBe(3)
  })

  it('needs only a tenant next to a running start', async () => {
    const starts = join(folder, 'starts')
    const local = await startLocalIssuer()
    registerSecret(String(local.privateJwk.d))
    const started = await serviceInProcess({ replicaOf: service, issuer: local })
    await writeLocalStart(
      Number(new URL(started.url).port),
      {
        ...{ url: started.url, issuer: local.issuer, audience: local.audience, jwk: local.privateJwk },
        ...{ startedAt: new Date().toISOString(), pid: process.pid },
        store: variablesOf(service.connection),
      },
      starts,
    )
    const { exitCode, out } = await runScript(
      'smoke',
      ['--tenant', 'acme', '--objects', '--local', starts],
      {},
    )
    await started.stop()
    await local.stop()
    expect(out).toContain('9 proved')
    expect(exitCode).toBe(0)
  })

  it('fails if the objects are not in the bucket, or not under the prefix', async () => {
    const elsewhere = { ...service.connection, bucket: await freshBucket(service.owner) }
    const bucket = await smokeJson([], variablesOf(elsewhere))
    expect(bucket.verdicts).toMatchObject({ 'smoke.objects': 'failed', 'smoke.delete': 'proved' })
    expect(bucket.exitCode).toBe(1)
    const prefix = { ...variablesOf(service.connection), S3_PREFIX_DOCS: 'documents/' }
    expect((await smokeJson([], prefix)).verdicts).toMatchObject({ 'smoke.objects': 'failed' })
  })

  it('fails if other bytes come back', async () => {
    // In every way that a document is read: a client continues with a range if an answer breaks off.
    const lying = await serviceInProcess({
      replicaOf: service,
      decorate: (store) => {
        const get: ObjectStore['get'] = async (key, options) => {
          const object = await store.get(key, options)
          if (!object || !key.includes('/documents/') || (object.range?.first ?? 0) > 0) return object
          const bytes = await new Response(object.body).bytes()
          bytes[0] = (bytes[0] ?? 0) ^ 1
          return { ...object, body: new Blob([bytes]).stream() }
        }
        const getWhole: ObjectStore['getWhole'] = (key, options) =>
          key.includes('/documents/') ? get(key, options) : store.getWhole(key, options)
        return { ...store, get, getWhole }
      },
    })
    const args = ['--json', '--url', lying.url, '--tenant', 'acme', '--token-file', tokenFile]
    const { exitCode, out } = await runScript('smoke', args, {})
    await lying.stop()
    const report: Report = JSON.parse(out)
    expect(report.checks.find(({ id }) => id === 'smoke.download')).toMatchObject({ verdict: 'failed' })
    expect(report.left).toBe(false)
    expect(exitCode).toBe(1)
  })

  it('reports that the token may not delete, and what stayed', async () => {
    await Bun.write(tokenFile, await service.token({ scope: 'documents:read documents:write' }))
    const { exitCode, report, verdicts } = await smokeJson()
    expect(verdicts).toMatchObject({ 'smoke.delete': 'missing', 'smoke.objects-gone': 'not run' })
    expect(report.left).toBe(true)
    expect(exitCode).toBe(3)
    const { name } = report.marker
    expect(await keysOf(service.store, `tenants/acme/documents/smoke-test/${name}/`)).toHaveLength(1)
    expect((await smoke()).out).toContain(': delete it by hand')
  })

  it('fails if the service is not ready, refuses the token or does not answer', async () => {
    const foreign = await runScript(
      'smoke',
      ['--json', '--url', service.url, '--tenant', 'globex', '--token-file', tokenFile],
      {},
    )
    expect(foreign.exitCode).toBe(1)
    const refused: Report = JSON.parse(foreign.out)
    expect(refused.checks.find(({ id }) => id === 'smoke.upload')).toMatchObject({ verdict: 'failed' })
    const gone = await runScript(
      'smoke',
      ['--url', 'http://127.0.0.1:1', '--tenant', 'acme', '--token-file', tokenFile],
      {},
    )
    expect(gone.exitCode).toBe(1)
    expect(gone.out).toContain('✗ the service is ready')
    expect(gone.out).toContain('not run: needs smoke.ready')
    expect(gone.out + gone.err).not.toContain(await Bun.file(tokenFile).text())
  })

  it('exits with 2 without a tenant, for an unknown option and a wrong configuration, and with 3 without a service', async () => {
    const ran = await Promise.all([
      runScript('smoke', ['--url', service.url, '--token-file', tokenFile], {}),
      runScript('smoke', ['--tenant', 'acme', '--token-file', tokenFile], {}),
      runScript('smoke', ['--tenant', 'acme', '--local', folder], {}),
      smoke(['--unknown']),
      smoke([], { S3_BUCKET_DOCS: 'x' }),
    ])
    expect(ran.map(({ exitCode }) => exitCode)).toEqual([2, 2, 3, 2, 2])
  })
})
