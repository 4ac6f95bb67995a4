import { beforeEach, describe, expect, it } from 'bun:test'
import { parseTagRowKey } from '../../../service/documents/document-key.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { prefixed } from '../../../service/object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import {
  type Bucket,
  runScript,
  runScriptJson,
  startScript,
  variablesOf,
} from '../../support/commands/script-run.ts'
import { replicaOn } from '../../support/service/documents-under-test.ts'
import {
  entry,
  minute,
  recordIn,
  recordKeyOf,
  storeOldTag,
  storeVersion,
  versionKeyOf,
} from '../../support/service/stored-documents.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { keysOf } from '../../support/stores/store-contents.ts'
import { until } from '../../support/waiting.ts'

const connection = await storeForTests()
let bucket: Bucket
let store: ObjectStore

beforeEach(async () => {
  bucket = { ...connection, bucket: await freshBucket(connection) }
  store = prefixed(createS3ObjectStore({ ...bucket, connectionsMax: 8 }), 'docs/')
})

const convert = (args: string[] = []) => runScript('convert', args, variablesOf(bucket))

/** A document as the layout before records kept it. */
async function storeOldDocument(name: string): Promise<string[]> {
  await storeVersion(store, name, '1')
  await storeVersion(store, name, '2')
  return [
    await storeOldTag(store, name, 'latest', entry('2', minute(2))),
    await storeOldTag(store, name, 'production', entry('1', minute(1))),
  ]
}

describe('bun run convert', () => {
  it('turns tags into records that the service reads, and has nothing to do when it is repeated', async () => {
    await storeOldDocument('a')
    const dry = await convert(['--dry-run'])
    expect(dry.out).toContain('+ acme audits/a tag production\n')
    expect(dry.out).toContain('✓ 1 documents, 2 tags would be converted, 0 dropped; 0 problems')
    expect(await recordIn(store, 'a')).toBeNull()
    const first = await convert()
    expect(first).toMatchObject({
      exitCode: 0,
      out: '✓ 1 documents, 2 tags converted, 0 dropped; 0 problems\n',
    })
    const keys = [versionKeyOf('a', '1'), versionKeyOf('a', '2'), recordKeyOf('a')]
    const found = await keysOf(store, '')
    expect(found.filter((key) => !parseTagRowKey(key)).toSorted()).toEqual(keys.toSorted())
    const rows = found.map(parseTagRowKey).filter((row) => row !== null)
    expect(rows).toMatchObject([{ ref: { name: 'a', tag: 'production' } }])
    const { documents } = replicaOn(store)
    const ref = { tenant: 'acme', type: 'audits', name: 'a' }
    expect(await documents.getTag(ref, 'latest')).toMatchObject({
      digest: entry('2').digest,
      movedAt: minute(2),
    })
    expect(await documents.getTag(ref, 'production')).toMatchObject({ digest: entry('1').digest })
    expect((await convert()).out).toBe('✓ 0 documents, 0 tags converted, 0 dropped; 0 problems\n')
  })

  it('names damaged tags, leaves them, and exits with 1', async () => {
    const [latest = ''] = await storeOldDocument('a')
    await store.put(latest, Buffer.from('{'), { size: 1, contentType: 'application/json' })
    await storeOldTag(store, 'a', 'lost', entry('3'))
    const { exitCode, out } = await convert()
    expect(out).toContain('✗ acme audits/a tag latest is damaged')
    expect(out).toContain('– acme audits/a tag lost points to a version that does not exist: dropped')
    expect(out).toContain('✗ 1 documents, 1 tags converted, 1 dropped; 1 problems')
    expect(exitCode).toBe(1)
    expect(await keysOf(store, 'tenants/acme/tags/')).toEqual([latest])
    // The newest version stands in for what cannot be read.
    expect((await recordIn(store, 'a'))?.tags.latest).toBeDefined()
  })

  it('can be killed at any moment: a later run converts the rest, and no tag is lost', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `n${at}`)
    await Promise.all(names.map(storeOldDocument))
    const crashing = startScript('convert', ['--parallel', '1'], variablesOf(bucket))
    await until(async () => (await keysOf(store, 'tenants/acme/records/')).length >= 3)
    crashing.kill('SIGKILL')
    await crashing.exited
    const { exitCode } = await runScriptJson('convert', [], variablesOf(bucket))
    expect(exitCode).toBe(0)
    expect(await keysOf(store, 'tenants/acme/tags/')).toEqual([])
    for (const name of names) {
      const tags = (await recordIn(store, name))?.tags
      expect([tags?.latest?.digest, tags?.production?.digest]).toEqual([entry('2').digest, entry('1').digest])
    }
  })

  it('exits with 3 if the store is out of reach, and with 2 for a wrong command line', async () => {
    const gone = variablesOf({ ...bucket, endpoint: 'http://127.0.0.1:1' })
    expect(await runScript('convert', [], gone)).toMatchObject({ exitCode: 3 })
    expect(await convert(['--parallel', '0'])).toMatchObject({ exitCode: 2 })
  })
})
