import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../compose/servers/free-port.ts'
import type { Report } from '../../observability/proof/report.ts'
import { folderForTests } from '../support/folder.ts'
import { keysIn, putByte } from '../support/observability/bucket-objects.ts'
import {
  idsWith,
  reportIn,
  startValidate,
  storeVariables,
  validate,
} from '../support/observability/validate-program.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { storeForTests } from '../support/stores/store.ts'
import { until } from '../support/waiting.ts'

// Time limits catch what hangs, and are far above what a busy machine needs.
const millisecondsMax = 20 * 60_000
setDefaultTimeout(millisecondsMax)

const store = await storeForTests('minio')
const folder = await folderForTests('validate-exit-codes-')

/** A run about Tempo alone, which takes seconds. */
async function validateTempo(name: string, change: Record<string, string> = {}, args: string[] = []) {
  const bucket = await freshBucket(store)
  const env = { ...(await storeVariables(store, { tempo: bucket }, folder)), ...change }
  const evidence = join(folder, name)
  const finished = validate(['tempo', '--json', '--evidence', evidence, ...args], env)
  return { bucket, evidence, finished }
}

describe('bun run validate', () => {
  it('exits with 1 if a check fails, such as after a foreign write outside the prefix', async () => {
    const { bucket, evidence, finished } = await validateTempo('stray')
    await until(() => existsSync(join(evidence, 'tempo/listing-before.txt')))
    await putByte(store, bucket, 'stray/object')
    const result = await finished
    const report = reportIn(result)
    expect(idsWith(report, 'failed', 'not run', 'missing')).toEqual(['tempo.containment'])
    const containment = report.checks.find(({ id }) => id === 'tempo.containment')
    expect(containment?.seen).toContain('outside: stray/object')
    expect(report).toMatchObject({ exitCode: 1, verdict: 'failed' })
    expect(result.exitCode).toBe(1)
  })

  it('exits with 130 if it is interrupted, and still removes what it has written', async () => {
    const bucket = await freshBucket(store)
    const evidence = join(folder, 'interrupted')
    const env = await storeVariables(store, { tempo: bucket }, folder)
    const running = startValidate(['tempo', '--all', '--evidence', evidence], env)
    await until(() => existsSync(join(evidence, 'tempo/meta.json')))
    running.kill('SIGINT')
    expect(await running.exited).toBe(130)
    expect(await new Response(running.stdout).text()).toContain('not run: interrupted')
    const report: Report = await Bun.file(join(evidence, 'report.json')).json()
    expect(idsWith(report, 'failed')).toEqual([])
    expect(await keysIn(store, bucket)).toEqual([])
  })

  it('exits with 2 for wrong usage, and says what is right', async () => {
    const unknown = await validate(['mimir'])
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' })
    expect(unknown.stderr).toContain('there is no mimir: name loki or tempo')
    expect(await validate(['--store', 'tape'])).toMatchObject({ exitCode: 2, stdout: '' })
  })

  it('exits with 2 for an impossible configuration, with the rule', async () => {
    const nested = { S3_BUCKET_LOKI: 'some-bucket', S3_PREFIX_LOKI: 'a/b/', S3_REGION: '' }
    const { finished } = await validateTempo('nested', nested, ['loki', '--variant', 's3-thanos'])
    const { exitCode, stdout, stderr } = await finished
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('S3_REGION is empty')
    expect(stderr).toContain('S3_PREFIX_LOKI')
  })

  it('exits with 2 if both a configured store and one to be started are asked for', async () => {
    const { finished } = await validateTempo('both', {}, ['--store', 'minio'])
    const { exitCode, stderr } = await finished
    expect(exitCode).toBe(2)
    expect(stderr).toContain('a store is configured by S3_*')
  })

  it('exits with 3 if there is no such bucket, and tries nothing that needs it', async () => {
    const { finished } = await validateTempo('no-bucket', {
      S3_BUCKET_TEMPO: `absent-${crypto.randomUUID()}`,
    })
    const result = await finished
    const report = reportIn(result)
    expect(idsWith(report, 'proved')).toEqual(['setup'])
    expect(idsWith(report, 'missing')).toEqual(['tempo.preflight'])
    expect(idsWith(report, 'failed')).toEqual([])
    expect(report).toMatchObject({ exitCode: 3, verdict: 'not proved' })
    expect(result.exitCode).toBe(3)
  })

  it('exits with 3 if the store does not answer', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    const { finished } = await validateTempo('no-store', { S3_ENDPOINT: endpoint })
    const result = await finished
    expect(idsWith(reportIn(result), 'missing')).toEqual(['tempo.preflight'])
    expect(result.exitCode).toBe(3)
  })

  it('exits with 3 if something lies below the prefix, and leaves it there', async () => {
    const bucket = await freshBucket(store)
    await putByte(store, bucket, 'tempo/single-tenant/index.json.gz')
    const { finished } = await validateTempo('used', { S3_BUCKET_TEMPO: bucket })
    const result = await finished
    const preflight = reportIn(result).checks.find(({ id }) => id === 'tempo.preflight')
    expect(preflight).toMatchObject({ verdict: 'missing' })
    expect(preflight?.reason).toContain(`an empty ${bucket}/tempo/`)
    expect(result.exitCode).toBe(3)
    expect(await keysIn(store, bucket)).toEqual(['tempo/single-tenant/index.json.gz'])
  })

  it('exits with 3 without a Docker Engine for --deploy compose: no check is tried, and none is proved', async () => {
    const env = { DOCKER_HOST: `unix://${join(folder, 'no-such.sock')}` }
    const result = await validate(
      ['tempo', '--deploy', 'compose', '--json', '--evidence', join(folder, 'no-docker')],
      env,
    )
    const report = reportIn(result)
    expect(idsWith(report, 'missing')).toEqual(['setup'])
    expect(idsWith(report, 'not run')).toHaveLength(report.checks.length - 1)
    expect(result.exitCode).toBe(3)
  })

  it('exits with 1 if it fails before its first check, and says so in the report', async () => {
    const { evidence, finished } = await validateTempo('no-tmp', { TMPDIR: join(folder, 'no-such-folder') })
    const result = await finished
    const report = reportIn(result)
    expect(idsWith(report, 'failed')).toEqual(['setup'])
    expect(idsWith(report, 'not run')).toHaveLength(report.checks.length - 1)
    expect(result.exitCode).toBe(1)
    expect(existsSync(join(evidence, 'setup.thrown.txt'))).toBeTrue()
  })

  it('exits with 3 if running servers are named and their store is not', async () => {
    const against = ['--against', 'tempo=http://127.0.0.1:3200', '--evidence', join(folder, 'no-s3')]
    const { exitCode, stdout } = await validate(against)
    expect(exitCode).toBe(3)
    expect(stdout).toContain('missing: S3_ENDPOINT')
  })
})
