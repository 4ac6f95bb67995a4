import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { appendFileSync } from 'node:fs'
import { readdir, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { prefixed } from '../../../service/object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { runScript, runScriptJson, startScript, variablesOf } from '../../support/commands/script-run.ts'
import { folderForTests } from '../../support/folder.ts'
import { digestOf, KiB, MiB, randomDocument } from '../../support/service/sample-documents.ts'
import {
  entry,
  recordIn,
  recordKeyOf,
  storeRecord,
  storeVersion,
} from '../../support/service/stored-documents.ts'
import { stoppedAfterTests } from '../../support/stop-at-the-end.ts'
import { freshBucket } from '../../support/stores/bucket.ts'
import type { StoreForTests } from '../../support/stores/service-key.ts'
import { startOpenStore } from '../../support/stores/store-contents.ts'

let bucket: string
let store: ObjectStore & { close(): void }
let folder: string

const disk = stoppedAfterTests(await startOpenStore())

beforeEach(async () => {
  bucket = await freshBucket(disk)
  const whole = createS3ObjectStore({ ...disk, bucket, connectionsMax: 4 })
  store = { ...prefixed(whole, 'docs/'), close: whole.close }
  folder = await folderForTests('scrub-')
})

afterEach(async () => {
  store.close()
})

/** Stores a version, with other bytes than its digest says if there are any. */
function stored(name: string, bytes: Uint8Array, instead = bytes): Promise<string> {
  return storeVersion(store, name, bytes, { instead })
}

const environment = (connection: StoreForTests = disk) => variablesOf({ ...connection, bucket })
const start = (args: string[]) => startScript('scrub', args, environment())
const run = (args: string[], env = environment()) => runScript('scrub', args, env)

async function runJson(args: string[]) {
  const { lines, ...ran } = await runScriptJson('scrub', args, environment())
  return { ...ran, damaged: lines.slice(0, -1) }
}

describe('bun run scrub', () => {
  it('finds intact versions intact, and records that agree with them', async () => {
    const bytes = randomDocument(100 * KiB)
    await stored('a', bytes)
    await stored('b', new Uint8Array())
    await storeRecord(store, 'a', { tags: { latest: entry(bytes) } })
    const { exitCode, out, err } = await run([])
    expect({ exitCode, out, err }).toEqual({
      exitCode: 0,
      out: '✓ 2 versions, 100.0 KiB read, 0 damaged; 1 records, 0 wrong\n',
      err: '',
    })
  })

  it('names records that are wrong, and repairs them with --repair while it changes nothing otherwise', async () => {
    const bytes = randomDocument(KiB)
    await stored('1-dangling', bytes)
    const tags = { latest: entry(bytes), production: entry('gone') }
    await storeRecord(store, '1-dangling', { tags })
    await stored('2-damaged', bytes)
    await store.put(recordKeyOf('2-damaged'), Buffer.from('{'), { size: 1, contentType: 'text/plain' })
    const found = await runJson([])
    expect(found.damaged).toMatchObject([
      { event: 'record', name: '1-dangling', problem: 'defective', danglingTags: ['production'] },
      { event: 'record', name: '2-damaged', problem: 'damaged', isRepaired: false },
    ])
    expect(found).toMatchObject({ exitCode: 1, summary: { records: 2, wrongRecords: 2, damaged: 0 } })
    expect((await recordIn(store, '1-dangling'))?.tags).toEqual(tags)
    const { exitCode, out } = await run(['--repair'])
    expect(out).toContain('– acme audits/1-dangling tag production points to nothing; repaired')
    expect(out).toContain('✓ 2 versions, 2.0 KiB read, 0 damaged; 2 records, 0 wrong, 2 repaired')
    expect(exitCode).toBe(0)
    expect(await run([])).toMatchObject({ exitCode: 0 })
    expect((await recordIn(store, '2-damaged'))?.tags.latest?.digest).toBe(digestOf(bytes))
  })

  it('needs only S3_*, and exits with 2 if they are wrong', async () => {
    const { S3_REGION: _region, ...others } = environment()
    const { exitCode, err } = await run([], others)
    expect(exitCode).toBe(2)
    expect(err).toContain('S3_REGION is missing')
    expect(err).not.toContain('AUTH_')
  })

  it('names every damaged version with both digests, and exits with 1', async () => {
    const intact = randomDocument(10 * KiB)
    const changed = randomDocument(300 * KiB)
    const cut = randomDocument(10 * KiB)
    const other = randomDocument(300 * KiB)
    await stored('1-intact', intact)
    await stored('2-changed', changed, other)
    await stored('3-cut', cut, new Uint8Array())
    const { exitCode, damaged, summary } = await runJson([])
    const place = { event: 'damaged', tenant: 'acme', type: 'audits' }
    expect(damaged).toEqual([
      {
        ...place,
        name: '2-changed',
        declared: digestOf(changed),
        found: digestOf(other),
        size: other.length,
      },
      { ...place, name: '3-cut', declared: digestOf(cut), found: digestOf(new Uint8Array()), size: 0 },
    ])
    expect(summary).toMatchObject({ finished: true, versions: 3, damaged: 2 })
    expect(exitCode).toBe(1)
    const text = await run([])
    expect(text.out).toContain(`✗ acme audits/2-changed ${digestOf(changed)} holds ${digestOf(other)}`)
  })

  it('distinguishes a version that the store cannot read from a store that is out of reach', async () => {
    await stored('1-unreadable', randomDocument(2 * MiB))
    await stored('2-intact', randomDocument(10 * KiB))
    const parts = (await readdir(disk.dataDir, { recursive: true })).filter(
      (path) => path.includes('1-unreadable') && path.endsWith('part.1') && path.startsWith(bucket),
    )
    expect(parts).toHaveLength(1)
    // A disk that lost the end of a file: MinIO keeps checksums of its own and gives nothing out.
    await truncate(join(disk.dataDir, parts[0] ?? ''), 1000)
    const { exitCode, damaged, summary } = await runJson([])
    expect(damaged).toMatchObject([{ name: '1-unreadable', found: null }])
    expect(summary).toMatchObject({ finished: true, versions: 2, damaged: 1 })
    expect(exitCode).toBe(1)
  })

  it('continues after the key of --after', async () => {
    const skipped = await stored('1', randomDocument(KiB), randomDocument(KiB))
    await stored('2', randomDocument(KiB))
    const { exitCode, summary } = await runJson(['--after', skipped])
    expect(summary).toMatchObject({ finished: true, versions: 1, damaged: 0 })
    expect(exitCode).toBe(0)
  })

  it('refuses a wrong rate, a wrong key and two places to continue from', async () => {
    const ran = await Promise.all([
      run(['--rate', '0']),
      run(['--rate', 'fast']),
      run(['--after', 'somewhere']),
      run(['--after', 'tenants/a', '--state', join(folder, 'state')]),
      run(['--unknown']),
      run(['--rate', '0.5', '--help']),
    ])
    expect(ran.map(({ exitCode }) => exitCode)).toEqual([2, 2, 2, 2, 2, 0])
  })
})

describe('bun run scrub on a store that is out of reach', () => {
  it('exits with 3 if it cannot reach the store', async () => {
    const gone = { ...disk, endpoint: 'http://127.0.0.1:1' }
    const { exitCode, err } = await run([], environment(gone))
    expect(exitCode).toBe(3)
    expect(err).toContain('Nothing was read yet')
    expect(err).not.toContain(disk.secretAccessKey)
  })
})

describe('bun run scrub --state', () => {
  const stateFile = () => join(folder, 'state.json')
  const savedState = async () => Bun.file(stateFile()).json()

  async function untilState(holds: (state: { versions: number }) => boolean): Promise<void> {
    for (;;) {
      const state = await savedState().catch(() => null)
      if (state && holds(state)) return
      await Bun.sleep(20)
    }
  }

  it('continues after a crash, and remembers the damage that was found before', async () => {
    await stored('0-damaged', randomDocument(KiB), randomDocument(KiB))
    for (const name of ['1', '2', '3', '4', '5', '6']) await stored(name, randomDocument(512 * KiB))
    const crashing = start(['--state', stateFile(), '--rate', '0.5'])
    await untilState(({ versions }) => versions >= 2)
    crashing.kill('SIGKILL')
    await crashing.exited
    const { versions: before } = await savedState()
    const { exitCode, damaged, summary } = await runJson(['--state', stateFile(), '--rate', '100'])
    expect(before).toBeLessThan(7)
    expect(damaged).toMatchObject([{ name: '0-damaged' }])
    expect(summary).toMatchObject({ finished: true, versions: 7, damaged: 1 })
    expect(exitCode).toBe(1)
    // Finished: the next run begins from the start.
    expect(await Bun.file(stateFile()).exists()).toBe(false)
  })

  it('stops on SIGINT, and a later run continues from there', async () => {
    for (const name of ['1', '2', '3']) await stored(name, randomDocument(512 * KiB))
    const stopping = start(['--state', stateFile(), '--rate', '0.5'])
    await untilState(({ versions }) => versions >= 1)
    stopping.kill('SIGINT')
    expect(await stopping.exited).toBe(3)
    expect(await new Response(stopping.stderr).text()).toContain('interrupted')
    const { exitCode, summary } = await runJson(['--state', stateFile()])
    expect(summary).toMatchObject({ finished: true, versions: 3 })
    expect(exitCode).toBe(0)
  })

  it('refuses the state of another bucket, and a file that is not a state', async () => {
    const state = { place: 'elsewhere', after: 'tenants/a', versions: 1, bytes: 1, damaged: [] }
    await Bun.write(stateFile(), JSON.stringify(state))
    const foreign = await run(['--state', stateFile()])
    expect(foreign.exitCode).toBe(2)
    expect(foreign.err).toContain('belongs to elsewhere')
    appendFileSync(stateFile(), 'x')
    expect((await run(['--state', stateFile()])).exitCode).toBe(2)
  })
})
