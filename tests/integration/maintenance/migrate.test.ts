import { beforeEach, describe, expect, it, onTestFinished } from 'bun:test'
import { join } from 'node:path'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { prefixed } from '../../../service/object-store/prefixed-object-store.ts'
import { createBucketSettings } from '../../../service/object-store/s3/bucket-settings.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import {
  type Bucket,
  linesOf,
  pairVariables,
  runScript,
  runScriptJson,
  startScript,
} from '../../support/commands/script-run.ts'
import { folderForTests } from '../../support/folder.ts'
import { registerSecret } from '../../support/secrets.ts'
import { replicaOn, uploadOf } from '../../support/service/documents-under-test.ts'
import { digestOf, KiB, MiB, randomDocument, storedUnder } from '../../support/service/sample-documents.ts'
import {
  auditVersion,
  deletion,
  entry,
  factsOf,
  minute,
  recordKeyOf,
  storeOldTag,
  storeRecord,
  storeVersion,
  tagsIn,
  versionKeyOf,
} from '../../support/service/stored-documents.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import { storeForTests } from '../../support/stores/store.ts'
import { keysOf, startOpenStore } from '../../support/stores/store-contents.ts'
import { nextStoreSecond, until } from '../../support/waiting.ts'

const [rgw, minio] = await Promise.all([storeForTests('ceph-rgw'), storeForTests('minio')])
const folder = await folderForTests('migrate-')
let here: Bucket
let there: Bucket
let source: ObjectStore
let target: ObjectStore

beforeEach(async () => {
  here = { ...rgw, bucket: await freshBucket(rgw) }
  there = { ...minio, bucket: await freshBucket(minio) }
  source = documentsOf(here)
  target = documentsOf(there)
})

function documentsOf(bucket: Bucket): ObjectStore {
  return prefixed(createS3ObjectStore({ ...bucket, connectionsMax: 8 }), 'docs/')
}

const facts = factsOf()

/** Stores a version, with other bytes than its digest says if there are any. */
function stored(store: ObjectStore, name: string, bytes: Uint8Array, instead = bytes): Promise<string> {
  return storeVersion(store, name, bytes, { instead })
}

const migrate = (args: string[] = [], env = pairVariables(here, there)) => runScriptJson('migrate', args, env)
const compare = (args: string[] = []) => runScriptJson('compare', args, pairVariables(here, there))

describe('bun run migrate', () => {
  it('copies bytes, content type, metadata and tags, and leaves staging where it is', async () => {
    const large = randomDocument(17 * MiB)
    const key = await stored(source, 'large', large)
    const empty = await stored(source, 'empty', new Uint8Array())
    const tags = { latest: entry(large, minute(1)), production: entry(large, minute(2)) }
    await storeRecord(source, 'large', { tags })
    await source.put('staging/acme/abc', Buffer.from('x'), { size: 1, contentType: 'text/plain' })
    const { exitCode, summary, lines } = await migrate()
    expect(lines[0]).toMatchObject({
      event: 'plan',
      missing: { versions: 2, bytes: large.length, records: 1 },
    })
    expect(summary).toMatchObject({
      finished: true,
      versions: { copied: 2 },
      tags: { copied: 2 },
      problems: 0,
    })
    expect(exitCode).toBe(0)
    expect(await storedUnder(target, key)).toEqual({ digest: digestOf(large), size: large.length })
    expect(await target.head(empty)).toMatchObject({ size: 0, contentType: 'text/x-audit', metadata: facts })
    expect(await tagsIn(target, 'large')).toEqual(tags)
    expect(await keysOf(target, 'staging/')).toEqual([])
  })

  it('copies only what differs when it is repeated, and says when the target keeps its own metadata', async () => {
    await stored(source, 'same', randomDocument(KiB))
    const shared = randomDocument(KiB)
    const own = await stored(source, 'own', shared)
    await target.put(own, shared, { size: KiB, contentType: 'text/plain', metadata: facts })
    expect((await migrate()).summary).toMatchObject({ versions: { copied: 1, kept: 1 } })
    const { exitCode, out } = await runScript('migrate', [], pairVariables(here, there))
    expect(out).toContain(
      `– acme audits/own ${digestOf(shared)} is in the target with metadata of its own: kept`,
    )
    expect(out).toContain('✓ versions: 1 kept, 1 present (0 B); tags: none; 0 problems\n')
    expect(exitCode).toBe(0)
    expect(await target.head(own)).toMatchObject({ contentType: 'text/plain' })
  })

  it('writes nothing with --dry-run, and lists what it would copy', async () => {
    const bytes = randomDocument(KiB)
    await stored(source, 'a', bytes)
    await storeRecord(source, 'a', { tags: { latest: entry(bytes, minute(1)) } })
    const { exitCode, out } = await runScript('migrate', ['--dry-run'], pairVariables(here, there))
    expect(out).toContain('dry run: nothing is written')
    expect(out).toContain(`+ acme audits/a ${digestOf(bytes)} (1.0 KiB)`)
    expect(out).toContain(`+ acme audits/a tag latest → ${digestOf(bytes)}`)
    expect(exitCode).toBe(0)
    expect(await keysOf(target, '')).toEqual([])
  })

  it('does not copy damaged bytes nor the tag on them, names both, and copies the rest', async () => {
    const right = randomDocument(300 * KiB)
    const wrong = randomDocument(300 * KiB)
    const damaged = await stored(source, '1-damaged', right, wrong)
    const cut = randomDocument(KiB)
    await stored(source, '2-cut', cut, new Uint8Array())
    const intact = await stored(source, '3-intact', right)
    await storeRecord(source, '1-damaged', { tags: { latest: entry(right, minute(1)) } })
    const state = join(folder, 'damaged.json')
    const { exitCode, lines, summary } = await migrate(['--state', state])
    const place = { tenant: 'acme', type: 'audits' }
    expect(linesOf(lines, 'version')).toEqual([
      {
        ...{ event: 'version', result: 'damaged', ...place, name: '1-damaged' },
        ...{ digest: digestOf(right), found: digestOf(wrong) },
      },
      {
        ...{ event: 'version', result: 'damaged', ...place, name: '2-cut' },
        ...{ digest: digestOf(cut), found: digestOf(new Uint8Array()) },
      },
    ])
    expect(linesOf(lines, 'tag')).toMatchObject([{ result: 'withheld', name: '1-damaged', tag: 'latest' }])
    expect(summary).toMatchObject({ finished: true, versions: { copied: 1, damaged: 2 }, problems: 3 })
    expect(exitCode).toBe(1)
    expect(await target.head(damaged)).toBeNull()
    expect(await keysOf(target, '')).toEqual([intact])
    // Finished: the next run begins from the start.
    expect(await Bun.file(state).exists()).toBe(false)
    const { out } = await runScript('migrate', [], pairVariables(here, there))
    expect(out).toContain(`✗ acme audits/1-damaged ${digestOf(right)} is damaged in the source`)
  })

  it('leaves a version that the target has in another size, and says that one of the two is damaged', async () => {
    const bytes = randomDocument(KiB)
    const key = await stored(source, 'a', bytes)
    const other = randomDocument(2 * KiB)
    await stored(target, 'a', bytes, other)
    const { exitCode, lines } = await migrate()
    expect(linesOf(lines, 'version')).toMatchObject([{ result: 'differs', name: 'a' }])
    expect(exitCode).toBe(1)
    expect(await storedUnder(target, key)).toEqual({ digest: digestOf(other), size: 2 * KiB })
  })

  it('lets the later move of each tag win, and names the one that lost', async () => {
    const [one, two] = [randomDocument(KiB), randomDocument(KiB)]
    for (const store of [source, target]) {
      await stored(store, 'a', one)
      await stored(store, 'a', two)
    }
    const ours = { newer: entry(one, minute(9)), older: entry(one, minute(1)), latest: entry(one, minute(1)) }
    await storeRecord(source, 'a', { tags: ours })
    const theirs = {
      newer: entry(two, minute(1)),
      older: entry(two, minute(9)),
      latest: entry(two, minute(2)),
    }
    await storeRecord(target, 'a', { tags: theirs })
    const { exitCode, lines, summary } = await migrate()
    expect(summary).toMatchObject({ tags: { moved: 1, kept: 2 } })
    const reported = linesOf(lines, 'tag').map(({ result, tag }) => [tag, result])
    expect(reported).toEqual([
      ['newer', 'moved'],
      ['older', 'kept'],
      ['latest', 'kept'],
    ])
    expect(exitCode).toBe(0)
    expect(await tagsIn(target, 'a')).toEqual({ ...theirs, newer: ours.newer })
  })

  it('copies no tag that points to nothing', async () => {
    await storeRecord(source, 'a', { tags: { old: entry(randomDocument(KiB)) } })
    const { exitCode, lines } = await migrate()
    expect(linesOf(lines, 'tag')).toMatchObject([{ result: 'dangling', tag: 'old' }])
    expect(exitCode).toBe(0)
    expect(await keysOf(target, '')).toEqual([])
  })

  it('turns the tags of the old layout into records of the target', async () => {
    const bytes = randomDocument(KiB)
    await stored(source, 'a', bytes)
    await storeOldTag(source, 'a', 'latest', entry(bytes, minute(1)))
    const { exitCode, lines, summary } = await migrate()
    expect(lines[0]).toMatchObject({ missing: { records: 0, oldTags: 1 } })
    expect(summary).toMatchObject({ versions: { copied: 1 }, tags: { copied: 1 }, problems: 0 })
    expect(exitCode).toBe(0)
    expect(await keysOf(target, '')).toEqual([versionKeyOf('a', bytes), recordKeyOf('a')])
    expect(await tagsIn(target, 'a')).toMatchObject({
      latest: { digest: digestOf(bytes), movedAt: minute(1) },
    })
  })

  it('keeps the order of the versions of a document', async () => {
    const versions = Array.from({ length: 6 }, () => randomDocument(KiB))
    const keys: string[] = []
    for (const bytes of versions) {
      keys.push(await stored(source, 'a', bytes))
      // RGW and MinIO keep milliseconds.
      await Bun.sleep(5)
    }
    await migrate()
    const { objects } = await target.list({ prefix: 'tenants/', limit: 1000 })
    const byTime = objects.toSorted((a, b) => +a.lastModified - +b.lastModified)
    expect(byTime.map(({ key }) => key)).toEqual(keys)
  })

  it('copies only what was stored --since a time', async () => {
    await stored(source, 'old', randomDocument(KiB))
    await Bun.sleep(1100)
    const since = (await source.clock()).toISOString()
    await Bun.sleep(1100)
    const young = await stored(source, 'young', randomDocument(KiB))
    const { summary } = await migrate(['--since', since])
    expect(summary).toMatchObject({ versions: { copied: 1 } })
    expect(await keysOf(target, '')).toEqual([young])
  })

  it('refuses a wrong command line, and both places being the same', async () => {
    const pair = pairVariables(here, there)
    const codes = [
      await runScript('migrate', ['--rate', '0'], pair),
      await runScript('migrate', ['--parallel', '257'], pair),
      await runScript('migrate', ['--parallel', '65'], pair),
      await runScript('migrate', ['--since', 'yesterday'], pair),
      await runScript('migrate', ['--dry-run', '--state', join(folder, 'x')], pair),
      await runScript('migrate', ['--unknown'], pair),
    ].map(({ exitCode }) => exitCode)
    expect(codes).toEqual([2, 2, 2, 2, 2, 2])
    const same = await runScript('migrate', [], pairVariables(here, here))
    expect(same.exitCode).toBe(2)
    expect(same.err).toContain('TARGET_S3_PREFIX_DOCS and S3_PREFIX_DOCS are in one bucket of one store')
  })
})

describe('bun run migrate after a deletion', () => {
  const ref = { tenant: 'acme', type: 'audits', name: 'a' }
  const by = 'alice'

  /** A service on each of the two stores; the first one has got two versions, and both were copied. */
  async function twoServices() {
    const [first, second] = [replicaOn(source).documents, replicaOn(target).documents]
    for (const content of ['1', '2']) await first.put(ref, uploadOf(Buffer.from(content)))
    expect((await migrate()).exitCode).toBe(0)
    return { first, second, one: auditVersion('a', '1') }
  }

  it('does not bring back what was deleted in the store that it copies to', async () => {
    const { first, second, one } = await twoServices()
    await first.deleteVersion(one, { by })
    const back = await migrate(['--reverse'])
    expect(linesOf(back.lines, 'version')).toMatchObject([{ result: 'deleted', digest: one.digest }])
    expect(back).toMatchObject({ exitCode: 0, summary: { versions: { deleted: 1, present: 1 } } })
    await expect(first.head(one)).rejects.toMatchObject({ code: 'document_not_found' })
    expect(await second.head(one)).toMatchObject({ size: 1 })
  })

  it('reports what is deleted in the store that it copies from, and removes it only with --delete', async () => {
    const { first, second, one } = await twoServices()
    await first.deleteVersion(one, { by })
    const text = await runScript('migrate', [], pairVariables(here, there))
    expect(text.out).toContain(
      `– acme audits/a ${one.digest} was deleted from the source, and is still in the target: --delete removes it there`,
    )
    expect(text.exitCode).toBe(0)
    expect(await second.head(one)).toMatchObject({ size: 1 })
    expect((await compare()).exitCode).toBe(1)
    const removing = await migrate(['--delete'])
    expect(removing).toMatchObject({ exitCode: 0, summary: { versions: { removed: 1, present: 1 } } })
    await expect(second.head(one)).rejects.toMatchObject({ code: 'document_not_found' })
    expect(await second.getTag(ref, 'latest')).toMatchObject({ digest: digestOf(Buffer.from('2')) })
    expect((await compare()).exitCode).toBe(0)
  })

  it('copies what was uploaded again after it was deleted', async () => {
    const { first, second, one } = await twoServices()
    await second.deleteVersion(one, { by })
    await first.deleteVersion(one, { by })
    // Deletions are noted by the clock of the store, to the second.
    await nextStoreSecond()
    await first.put(ref, uploadOf(Buffer.from('1')))
    expect((await migrate()).summary).toMatchObject({ versions: { copied: 1, present: 1 } })
    expect(await second.getTag(ref, 'latest')).toMatchObject({ digest: one.digest })
  })
})

/** Makes the bucket keep old versions of its objects, as a production bucket may. */
async function keepVersions(place: Bucket): Promise<void> {
  const settings = createBucketSettings(place)
  expect(await settings.putVersioning(place.bucket)).toBeNull()
  settings.close()
}

describe('bun run migrate --reverse into a bucket that keeps versions', () => {
  it('writes again what was removed there, and moves tags, as the only writer', async () => {
    // On RGW 16.2 such a bucket has no conditions of writes.
    await keepVersions(here)
    const [one, two] = [randomDocument(2 * MiB), randomDocument(KiB)]
    const removed = await stored(source, 'removed', one)
    await source.delete(removed)
    await stored(target, 'removed', one)
    for (const store of [source, target]) {
      await stored(store, 'moved', one)
      await stored(store, 'moved', two)
    }
    await storeRecord(source, 'moved', { tags: { latest: entry(one, minute(1)) } })
    await storeRecord(target, 'moved', { tags: { latest: entry(two, minute(2)) } })
    const env = pairVariables(here, there)
    expect((await migrate(['--reverse'], env)).err).toContain(
      'This object store cannot decide between two writers',
    )
    const { exitCode, summary } = await migrate(['--reverse'], { ...env, SINGLE_REPLICA: 'true' })
    expect(summary).toMatchObject({ versions: { present: 3 }, tags: { moved: 1 } })
    expect(exitCode).toBe(0)
    expect(await tagsIn(source, 'moved')).toMatchObject({ latest: { digest: digestOf(two) } })
    expect((await compare()).exitCode).toBe(0)
  })
})

describe('bun run migrate with a target that it cannot use', () => {
  it('names everything that is wrong with both configurations at once', async () => {
    const { S3_REGION: _one, TARGET_S3_BUCKET_DOCS: _other, ...env } = pairVariables(here, there)
    const { exitCode, err } = await runScript('migrate', [], { ...env, TARGET_S3_INSECURE: 'false' })
    expect(exitCode).toBe(2)
    expect(err).toContain('  S3_REGION is missing')
    expect(err).toContain('  TARGET_S3_BUCKET_DOCS is missing')
    expect(err).toContain('  TARGET_S3_ENDPOINT is plain http: use https, or set TARGET_S3_INSECURE=true')
  })

  it('reads the secret from a file, and says that it is wrong', async () => {
    const wrong = Buffer.from(randomDocument(20)).toString('hex')
    registerSecret(wrong)
    const file = join(folder, 'secret')
    await Bun.write(file, `${wrong}\n`)
    await stored(source, 'a', randomDocument(KiB))
    const { TARGET_S3_SECRET_ACCESS_KEY: right = '', ...env } = pairVariables(here, there)
    const withFile = { ...env, TARGET_S3_SECRET_ACCESS_KEY_FILE: file }
    const refused = await runScript('migrate', [], withFile)
    expect(refused.exitCode).toBe(3)
    expect(refused.err).toContain('target: object store: list failed: denied (SignatureDoesNotMatch)')
    expect(refused.err).toContain('check the access key, its secret and its rights')
    expect(refused.out + refused.err).not.toContain(wrong)
    await Bun.write(file, `${right}\n`)
    expect((await runScript('migrate', [], withFile)).exitCode).toBe(0)
  })

  it('says which store is out of reach, and which bucket does not exist', async () => {
    const gone = await runScript(
      'migrate',
      [],
      pairVariables(here, { ...there, endpoint: 'http://127.0.0.1:1' }),
    )
    expect(gone.exitCode).toBe(3)
    expect(gone.err).toMatch(/target: object store: \w+ failed: unavailable/)
    const absent = await runScript('migrate', [], pairVariables({ ...here, bucket: 'not-there' }, there))
    expect(absent.exitCode).toBe(3)
    expect(absent.err).toContain('source: object store: list failed: rejected (NoSuchBucket)')
  })
})

describe('bun run migrate --state', () => {
  it('continues after kill -9, copies nothing twice or in part, and remembers what was damaged', async () => {
    await stored(source, '00-damaged', randomDocument(KiB), randomDocument(KiB))
    for (let at = 10; at < 40; at += 1) await stored(source, `${at}`, randomDocument(256 * KiB))
    const state = join(folder, 'killed.json')
    const args = ['--state', state, '--rate', '2', '--parallel', '2']
    const crashing = startScript('migrate', args, pairVariables(here, there))
    for (let seen = 0; seen < 6; ) {
      await Bun.sleep(50)
      seen = (await keysOf(target, '')).length
    }
    crashing.kill('SIGKILL')
    await crashing.exited
    const before = await keysOf(target, '')
    expect(before.length).toBeLessThan(30)
    const left = await Bun.file(state).json()
    expect(left.problems).toHaveLength(1)
    const { exitCode, lines, summary } = await migrate(['--state', state])
    expect(summary).toMatchObject({ finished: true, problems: 1 })
    expect(linesOf(lines, 'version')).toMatchObject([{ result: 'damaged', name: '00-damaged' }])
    expect(exitCode).toBe(1)
    const { copied = 0, present = 0 } = summary.versions as Record<string, number>
    expect(copied + present).toBe(30)
    const same = await compare()
    expect(linesOf(same.lines, 'difference')).toMatchObject([{ name: '00-damaged' }])
    expect(same.summary).toMatchObject({ versions: 31, differing: 1 })
  })

  it('stops on SIGINT, and a later run continues and copies what was stored meanwhile, each version counted once', async () => {
    for (let at = 0; at < 8; at += 1) await stored(source, `${at}`, randomDocument(256 * KiB))
    const state = join(folder, 'stopped.json')
    const slowly = ['--state', state, '--rate', '0.5', '--parallel', '1']
    const stopping = startScript('migrate', slowly, pairVariables(here, there))
    await until(async () => (await keysOf(target, '')).length >= 2)
    stopping.kill('SIGINT')
    expect(await stopping.exited).toBe(3)
    expect(await new Response(stopping.stderr).text()).toContain(
      `Run it again with --state ${state} to continue`,
    )
    // Its key comes before all of those that were copied.
    await stored(source, '0-late', randomDocument(KiB))
    const { exitCode, summary } = await migrate(['--state', state])
    expect(summary).toMatchObject({ finished: true })
    expect(summary?.versions).toEqual({ copied: 9 })
    expect(exitCode).toBe(0)
    expect((await compare()).exitCode).toBe(0)
  })

  it('stops when a store fails, says which one, and continues when it is back', async () => {
    let disk = await startOpenStore()
    onTestFinished(() => disk.stop())
    const place = { ...disk, bucket: await freshBucket(disk) }
    for (let at = 0; at < 12; at += 1) await stored(source, `${at}`, randomDocument(256 * KiB))
    const state = join(folder, 'outage.json')
    const env = pairVariables(here, place)
    const running = startScript('migrate', ['--state', state, '--rate', '0.5', '--parallel', '2'], env)
    await until(async () => (await keysOf(documentsOf(place), '')).length >= 2)
    await disk.kill()
    expect(await running.exited).toBe(3)
    const err = await new Response(running.stderr).text()
    expect(err).toContain('error: target: object store: ')
    expect(err).toContain(`Run it again with --state ${state} to continue`)
    disk = await disk.restarted()
    const { exitCode, summary } = await migrate(['--state', state], env)
    const { copied = 0, present = 0 } = summary.versions as Record<string, number>
    expect(copied + present).toBe(12)
    expect(exitCode).toBe(0)
    expect(await runScript('compare', [], env)).toMatchObject({ exitCode: 0 })
  })

  it('continues a state of the time before records: its versions are done, and the tags are merged again', async () => {
    const [one, two] = [randomDocument(KiB), randomDocument(KiB)]
    await stored(source, 'a', one)
    await stored(source, 'b', two)
    await storeRecord(source, 'b', { tags: { latest: entry(two) } })
    const state = join(folder, 'old.json')
    const placeOf = ({ endpoint, bucket }: Bucket) => `${endpoint}/${bucket}/docs/`
    const journey = { from: placeOf(here), to: placeOf(there), since: '', begunAt: new Date(0).toISOString() }
    const position = { phase: 'latest', after: 'tenants/acme/tags/audits/z/latest' }
    const counts = { versions: {}, tags: { copied: 3 }, bytesCopied: 0, problems: [] }
    await Bun.write(state, JSON.stringify({ ...journey, position, ...counts }))
    const { exitCode, summary } = await migrate(['--state', state])
    // The last pass copies what was stored after the run began, here everything.
    expect(summary).toMatchObject({ finished: true, versions: { copied: 1 }, tags: { copied: 1 } })
    expect(exitCode).toBe(0)
  })

  it('refuses the state of another pair of stores, and a file that is not a state', async () => {
    const state = join(folder, 'foreign.json')
    const journey = { from: 'here', to: 'there', since: '', begunAt: minute(0) }
    const position = { phase: 'tags', after: '' }
    const left = { ...journey, position, versions: {}, tags: {}, bytesCopied: 0, problems: [] }
    await Bun.write(state, JSON.stringify(left))
    const foreign = await runScript('migrate', ['--state', state], pairVariables(here, there))
    expect(foreign.exitCode).toBe(2)
    expect(foreign.err).toContain('belongs to here → there')
    await Bun.write(state, '{}')
    expect((await runScript('migrate', ['--state', state], pairVariables(here, there))).exitCode).toBe(2)
  })
})

describe('bun run compare', () => {
  it('finds what is missing, what is damaged, and tags that point elsewhere', async () => {
    const [one, two] = [randomDocument(KiB), randomDocument(KiB)]
    await stored(source, '1-here', one)
    await stored(target, '2-there', one)
    await stored(source, '3-damaged', one)
    await stored(target, '3-damaged', one, two)
    const key = await stored(source, '4-facts', one)
    await target.put(key, one, { size: KiB, contentType: 'text/plain', metadata: facts })
    const ours = { v1: entry(one, minute(1)), v2: entry(one, minute(1)) }
    await storeRecord(source, '5-tag', { tags: ours, deleted: [deletion('x', minute(1))] })
    await storeRecord(target, '5-tag', { tags: { v1: entry(two, minute(1)), v2: entry(one, minute(2)) } })
    const { exitCode, lines, summary } = await compare()
    expect(
      linesOf(lines, 'difference').map(({ name, tag, differences }) => [name, tag, differences]),
    ).toEqual([
      ['1-here', undefined, ['only in source']],
      ['3-damaged', undefined, ['bytes in target']],
      ['4-facts', undefined, ['metadata']],
      ['5-tag', undefined, ['deletions']],
      ['5-tag', 'v1', ['version']],
      ['5-tag', 'v2', ['move']],
      ['2-there', undefined, ['only in target']],
    ])
    expect(summary).toMatchObject({ versions: 4, records: 1, tags: 2, bytes: 6 * KiB, differing: 7 })
    expect(exitCode).toBe(1)
    // Sizes agree: only reading shows that one.
    expect((await compare(['--no-bytes'])).summary).toMatchObject({ bytes: 0, differing: 6 })
    const text = await runScript('compare', ['--reverse'], pairVariables(here, there))
    expect(text.out).toContain(`✗ acme audits/1-here ${digestOf(one)}: only in target`)
    expect(text.out).toContain('✗ 4 versions and 2 tags, 6.0 KiB hashed; 7 differ')
  })

  it('finds what is damaged in the target, which migrate repairs once it is removed there', async () => {
    const bytes = randomDocument(KiB)
    const key = await stored(source, 'a', bytes)
    await stored(target, 'a', bytes, randomDocument(KiB))
    // Sizes and metadata agree: a migration reads no bytes of the target.
    expect((await migrate()).summary).toMatchObject({ versions: { present: 1 } })
    const found = await compare()
    expect(linesOf(found.lines, 'difference')).toMatchObject([
      { name: 'a', differences: ['bytes in target'] },
    ])
    await target.delete(key)
    expect((await migrate()).summary).toMatchObject({ versions: { copied: 1 } })
    expect(await compare()).toMatchObject({ exitCode: 0 })
  })

  it('reports that two stores are the same, and which of them is out of reach', async () => {
    for (const store of [source, target]) await stored(store, 'a', Buffer.from('a'))
    const { exitCode, out } = await runScript('compare', [], pairVariables(here, there))
    expect(out).toBe('✓ 1 versions and 0 tags, 2 B hashed; 0 differ\n')
    expect(exitCode).toBe(0)
    const gone = pairVariables(here, { ...there, endpoint: 'http://127.0.0.1:1' })
    expect(await runScript('compare', [], gone)).toMatchObject({ exitCode: 3 })
  })
})
