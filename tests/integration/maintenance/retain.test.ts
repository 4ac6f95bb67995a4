import { describe, expect, it } from 'bun:test'
import { join } from 'node:path'
import { PutObjectLegalHoldCommand } from '@aws-sdk/client-s3'
import { createBucketSettings } from '../../../service/object-store/s3/bucket-settings.ts'
import { createS3Client } from '../../../service/object-store/s3/client.ts'
import { placeOf } from '../../support/commands/provision-under-test.ts'
import { type JsonRun, runScript } from '../../support/commands/script-run.ts'
import { folderForTests } from '../../support/folder.ts'
import { type Caller, callerOf, put, refusalOf } from '../../support/service/caller.ts'
import { type OwnService, ownService } from '../../support/service/own-service.ts'
import { digestOf, keyOf } from '../../support/service/sample-documents.ts'
import type { InProcessService } from '../../support/service/service-for-tests.ts'
import { storeForTests } from '../../support/stores/store.ts'

const scopedOfGlobex = '/v1/tenants/globex/documents/scoped/a'

const { service, call } = await ownService()
const callGlobex = await callerOf(service, await service.token({ tenants: ['globex'] }))
const { service: locking, call: callLocking } = await serviceWithLocks()
const folder = await folderForTests('retain-')
await storeAll([
  { by: call, document: 'dry-run/a', contents: ['1', '2', '3'] },
  { by: call, document: 'exports/a', contents: ['1', '2', '3', '4', '5'] },
  { by: call, document: 'young/a', contents: ['1', '2'] },
  { by: callGlobex, document: scopedOfGlobex, contents: ['1', '2'] },
  { by: call, document: 'scoped/a', contents: ['1', '2'] },
  { by: call, document: 'scoped-too/a', contents: ['1', '2'] },
  { by: call, document: 'one/a', contents: ['1', '2'] },
  { by: call, document: 'two/a', contents: ['1', '2', '3'] },
  { by: callLocking, document: 'worm/a', contents: ['1', '2', '3'] },
])

/** On a bucket that can lock versions. */
async function serviceWithLocks(): Promise<OwnService<InProcessService>> {
  const store = await storeForTests()
  const bucket = `test-${crypto.randomUUID()}`
  const settings = createBucketSettings(store)
  expect(await settings.create(bucket, { objectLock: true })).toBeNull()
  settings.close()
  // RGW 16.2 has no conditions of writes where it keeps versions.
  return ownService({ bucket, singleReplica: true })
}

function retain(args: string[], on: InProcessService = service): Promise<JsonRun> {
  const { bucket, accessKeyId, secretAccessKey } = on.connection
  const keys = { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey }
  const alone = { SINGLE_REPLICA: String(on === locking) }
  return runScript('retain', args, { ...placeOf(on.connection, bucket), ...keys, ...alone })
}

interface Stored {
  by: Caller
  document: string
  /** Of its versions, the oldest first. */
  contents: string[]
}

/**
 * The first versions of all documents, then the second ones, and so on: stores keep the time of an object to the
 * second, which is too long to wait for once per document.
 */
async function storeAll(documents: Stored[]): Promise<void> {
  const versionsMax = Math.max(...documents.map(({ contents }) => contents.length))
  for (let version = 0; version < versionsMax; version += 1) {
    const uploads = documents.map(({ by, document, contents: { [version]: content } }) =>
      content === undefined ? undefined : put(by, document, content),
    )
    await Promise.all(uploads)
    await Bun.sleep(1100)
  }
}

async function remaining(document: string, by: Caller = call): Promise<unknown[]> {
  const { versions } = (await (await by(`${document}/versions`)).json()) as { versions: { digest: string }[] }
  return versions.map(({ digest }) => digest)
}

function fatesOf(ran: JsonRun): unknown[] {
  return ran
    .events()
    .filter(({ event }) => event === 'version')
    .map(({ digest, fate }) => [digest, fate])
}

describe('bun run retain', () => {
  it('lists what it would remove, and removes nothing without --apply', async () => {
    const ran = await retain(['--type', 'dry-run', '--keep-days', '0', '--tenant', 'acme', '--json'])
    expect(fatesOf(ran)).toEqual([
      [digestOf('2'), 'would-remove'],
      [digestOf('1'), 'would-remove'],
    ])
    expect(ran.exitCode).toBe(0)
    expect(ran.out).not.toContain('"kind":"audit"')
    expect(await remaining('dry-run/a')).toEqual(['3', '2', '1'].map(digestOf))
  })

  it('removes versions with an audit line each, and keeps the newest and those that a tag points to', async () => {
    const body = JSON.stringify({ digest: digestOf('2') })
    const headers = { 'content-type': 'application/json' }
    await call('exports/a/tags/production', { method: 'PUT', body, headers })
    // A rollback: `latest` points to an old version.
    await put(call, 'exports/a', '1')
    const args = [
      '--type',
      'exports',
      '--keep-days',
      '0',
      '--keep-newest',
      '2',
      '--tenant',
      'acme',
      '--apply',
    ]
    const ran = await retain([...args, '--json'])
    expect(fatesOf(ran)).toEqual([[digestOf('3'), 'removed']])
    const audits = ran.events().filter(({ kind }) => kind === 'audit')
    expect(audits).toMatchObject([
      {
        ...{ decision: 'allowed', rule: 'retention:exports:0d:newest-2', action: 'version.delete' },
        ...{ subject: 'retain', tenant: 'acme', type: 'exports', name: 'a', digest: digestOf('3') },
      },
    ])
    expect((await remaining('exports/a')).toSorted()).toEqual(['1', '2', '4', '5'].map(digestOf).toSorted())
    expect(await (await call('exports/a')).text()).toBe('1')
    const again = await retain(args)
    expect(again.out).toBe('✓ 0 versions, 0 B removed; 0 locked, 0 tagged, 0 failed\n')
  })

  it('keeps versions that are younger than --keep-days', async () => {
    const ran = await retain(['--type', 'young', '--keep-days', '1', '--tenant', 'acme', '--apply'])
    expect(ran.out).toContain('✓ 0 versions')
    expect(await remaining('young/a')).toHaveLength(2)
  })

  it('works on the given tenants, types and names, and on no others', async () => {
    const args = ['--type', 'scoped', '--keep-days', '0', '--apply']
    await retain([...args, '--tenant', 'acme'])
    expect(await remaining('scoped/a')).toEqual([digestOf('2')])
    expect(await remaining('scoped-too/a')).toHaveLength(2)
    expect(await remaining(scopedOfGlobex, callGlobex)).toHaveLength(2)
    await retain([...args, '--all-tenants'])
    expect(await remaining(scopedOfGlobex, callGlobex)).toEqual([digestOf('2')])
    expect(await remaining('scoped-too/a')).toHaveLength(2)
  })

  it('reads rules for several types from a file', async () => {
    const file = join(folder, 'policy.json')
    const rules = [
      { type: 'one', keepDays: 0, keepNewest: 1 },
      { type: 'two', keepDays: 0, keepNewest: 2 },
    ]
    await Bun.write(file, JSON.stringify({ retention: rules }))
    const ran = await retain(['--policy', file, '--tenant', 'acme', '--apply', '--json'])
    expect(ran.events().at(-1)).toMatchObject({ event: 'summary', applied: true, versions: { removed: 2 } })
    expect(await remaining('two/a')).toEqual([digestOf('3'), digestOf('2')])
    await Bun.write(file, JSON.stringify({ retention: [{ type: 'one', keepDays: 0 }] }))
    const wrong = await retain(['--policy', file, '--tenant', 'acme'])
    expect([wrong.exitCode, wrong.err]).toEqual([2, expect.stringContaining('/retention/0/keepNewest')])
  })

  it('needs type, days and tenants, and a configured store', async () => {
    const ran = await Promise.all([
      retain(['--type', 'x', '--keep-days', '1']),
      retain(['--type', 'x', '--tenant', 'acme']),
      retain(['--keep-days', '1', '--tenant', 'acme']),
      retain(['--type', 'X!', '--keep-days', '1', '--tenant', 'acme']),
      retain(['--type', 'x', '--keep-days', '1', '--keep-newest', '0', '--tenant', 'acme']),
      retain(['--type', 'x', '--keep-days', '1', '--tenant', 'acme', '--all-tenants']),
      runScript('retain', ['--type', 'x', '--keep-days', '1', '--tenant', 'acme'], {}),
    ])
    expect(ran.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2, 2, 2, 2, 2])
  })
})

describe('bun run retain on a store with locked versions', () => {
  it('keeps the locked versions, as the API answers 409, and removes the others', async () => {
    const { bucket } = locking.connection
    const client = createS3Client(locking.owner)
    const Key = `docs/${keyOf('worm', 'a', digestOf('1') as `sha256:${string}`)}`
    await client.send(new PutObjectLegalHoldCommand({ Bucket: bucket, Key, LegalHold: { Status: 'ON' } }))
    const refused = await callLocking(`worm/a/versions/${digestOf('1')}`, { method: 'DELETE' })
    expect(await refusalOf(refused)).toBe('409 version_locked')
    const args = ['--type', 'worm', '--keep-days', '0', '--tenant', 'acme', '--json']
    const dry = await retain(args, locking)
    const [two, one] = [digestOf('2'), digestOf('1')]
    expect(fatesOf(dry)).toEqual([
      [two, 'would-remove'],
      [one, 'locked'],
    ])
    const ran = await retain([...args, '--apply'], locking)
    expect(fatesOf(ran)).toEqual([
      [two, 'removed'],
      [one, 'locked'],
    ])
    expect(ran.exitCode).toBe(0)
    expect(await remaining('worm/a', callLocking)).toEqual([digestOf('3'), one])
    client.destroy()
  })
})
