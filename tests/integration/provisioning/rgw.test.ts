import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { ListBucketsCommand } from '@aws-sdk/client-s3'
import type { RunningRgw } from '../../../compose/servers/ceph-rgw.ts'
import { capabilitiesOf, probeStore } from '../../../service/object-store/probe/probe.ts'
import { createBucketSettings } from '../../../service/object-store/s3/bucket-settings.ts'
import { createS3Client } from '../../../service/object-store/s3/client.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { narrowingPolicy } from '../../../service/provisioning/bucket-policy.ts'
import { newBucket, placeOf, provision } from '../../support/commands/provision-under-test.ts'
import { registerSecret } from '../../support/secrets.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { startPrivateRgw } from '../../support/stores/rgw.ts'
import { makeRgwProject, type ProjectKey } from '../../support/stores/rgw-project.ts'
import {
  failuresOf,
  rightsTooMany,
  type StoreOperations,
  storeOperations,
} from '../../support/stores/store-operations.ts'

/** Ceph RGW with a project as Hetzner has them: every key is the owner of every bucket. */
let rgw: RunningRgw
let provisioner: ProjectKey
let user: ProjectKey
let otherKey: ProjectKey

beforeAll(async () => {
  rgw = await startPrivateRgw()
  const [first, second, third] = await makeRgwProject(rgw, 3)
  if (!first || !second || !third) throw new Error('no keys')
  ;[provisioner, user, otherKey] = [first, second, third]
  for (const { secretAccessKey } of [first, second, third]) registerSecret(secretAccessKey)
}, 600_000)

afterAll(() => rgw.stop())

/** There is one replica: this RGW has no conditions of writes where it keeps versions. */
const alone = { SINGLE_REPLICA: 'true' }
const kept = { ...alone, PROVISION_VERSIONING: 'true' }

function environment(bucket: string, changed: Record<string, string> = {}): Record<string, string> {
  return {
    ...placeOf(rgw, bucket),
    PROVISION_ACCESS_KEY_ID: provisioner.accessKeyId,
    PROVISION_SECRET_ACCESS_KEY: provisioner.secretAccessKey,
    PROVISION_PRINCIPALS: provisioner.principal,
    PROVISION_SERVICE_PRINCIPALS: user.principal,
    PROVISION_UI_ORIGINS: 'https://documents.example.com',
    ...changed,
  }
}

function asService(env: Record<string, string>, key: ProjectKey = user): Record<string, string> {
  return { ...env, S3_ACCESS_KEY_ID: key.accessKeyId, S3_SECRET_ACCESS_KEY: key.secretAccessKey }
}

function connectionOf({ accessKeyId, secretAccessKey }: ProjectKey, bucket: string) {
  return { ...rgw, accessKeyId, secretAccessKey, bucket, connectionsMax: 4 }
}

describe('bun run provision on Ceph RGW', () => {
  it('plans without changing anything, applies, and has nothing to do the next time', async () => {
    const env = environment(newBucket())
    const planned = await provision(['plan', '--json'], env)
    const changes = planned.events().filter(({ event }) => event === 'change')
    expect(changes.map(({ setting }) => setting)).toEqual([
      ...['bucket', 'lifecycle', 'lifecycle', 'cors', 'policy'],
    ])
    expect((await provision(['plan', '--json'], env)).events()).toEqual(planned.events())
    const applied = await provision(['apply', '--json'], env)
    expect({ exitCode: applied.exitCode, last: applied.events().at(-1) }).toEqual({
      exitCode: 0,
      last: { event: 'applied', done: 5, notDone: 0 },
    })
    const again = await provision(['apply'], env)
    expect(again.out).toContain('✓ everything is as it should be')
    expect(again.out).toContain('✓ 0 changed, 0 that the store could not do')
  })

  it('corrects what was changed, and keeps rules that are not its own', async () => {
    const bucket = newBucket()
    const env = environment(bucket)
    await provision(['apply'], env)
    const settings = createBucketSettings(connectionOf(provisioner, bucket))
    const foreign = {
      ID: 'theirs',
      Status: 'Enabled',
      Filter: { Prefix: 'x/' },
      Expiration: { Days: 9 },
    } as const
    await settings.putLifecycle(bucket, [foreign])
    const planned = await provision(['plan'], env)
    expect(planned.out).toContain('lifecycle rule theirs is not ours and stays: it deletes objects')
    expect(planned.out).toContain('2 to change')
    expect((await provision(['apply'], env)).exitCode).toBe(0)
    const rules = (await settings.read(bucket))?.lifecycle.map(({ ID }) => ID)
    expect(rules?.toSorted()).toEqual([...['staging-expires', 'theirs', 'unfinished-uploads-abort']])
    settings.close()
  })

  it('does not lock itself out, regardless of PROVISION_PRINCIPALS', async () => {
    const bucket = newBucket()
    const wrong = environment(bucket, { PROVISION_PRINCIPALS: 'arn:aws:iam:::user/someone-else' })
    const refused = await provision(['apply'], wrong)
    expect(refused.exitCode).toBe(1)
    expect(refused.out).toContain('the policy would lock it out')
    expect((await provision(['plan'], environment(bucket))).out).toContain('1 to change')
    expect((await provision(['apply'], environment(bucket))).exitCode).toBe(0)
    // The policy that is good stays as it was.
    expect((await provision(['apply'], wrong)).exitCode).toBe(1)
    expect((await provision(['plan'], environment(bucket))).out).toContain('✓ everything is as it should be')
  })

  it('says that object lock is not possible for an existing bucket', async () => {
    const bucket = newBucket()
    await provision(['apply'], environment(bucket))
    const env = environment(bucket, { ...alone, PROVISION_OBJECT_LOCK: 'governance:7' })
    expect((await provision(['plan'], env)).out).toContain('object lock is only possible for a new bucket')
    expect((await provision(['apply'], env)).exitCode).toBe(1)
    const fresh = environment(newBucket(), { ...alone, PROVISION_OBJECT_LOCK: 'governance:7' })
    expect((await provision(['apply'], fresh)).exitCode).toBe(0)
    // What this store cannot do stays in the plan: see the next test.
    expect((await provision(['plan'], fresh)).out).toEndWith('\n1 to change\n')
  })

  it('sets no rule that spares the newest old versions, which this store would take for one that spares none', async () => {
    const bucket = newBucket()
    const applied = await provision(['apply'], environment(bucket, kept))
    expect(applied.out).toContain('the store does not count old versions')
    expect(applied.exitCode).toBe(0)
    const settings = createBucketSettings(connectionOf(provisioner, bucket))
    const rules = (await settings.read(bucket))?.lifecycle
    settings.close()
    expect(rules?.map(({ ID, Status }) => `${ID} ${Status}`).toSorted()).toEqual([
      ...['old-versions-expire Enabled', 'staging-expires Enabled', 'unfinished-uploads-abort Enabled'],
    ])
  })

  it('refuses to keep versions where the store then has no conditions of writes, and changes nothing', async () => {
    const fresh = newBucket()
    const refused = await provision(['apply'], environment(fresh, { PROVISION_VERSIONING: 'true' }))
    expect(refused.exitCode).toBe(1)
    expect(refused.out).toContain('versioning: Enabled: this store has no conditions of writes')
    expect(refused.out).toEndWith('✗ nothing was changed\n')
    const settings = createBucketSettings(connectionOf(provisioner, fresh))
    expect(await settings.read(fresh)).toBeNull()
    const locked = environment(fresh, { PROVISION_OBJECT_LOCK: 'on' })
    expect((await provision(['apply'], locked)).exitCode).toBe(1)
    expect(await settings.read(fresh)).toBeNull()

    const there = newBucket()
    expect((await provision(['apply'], environment(there))).exitCode).toBe(0)
    expect((await provision(['apply'], environment(there, { PROVISION_VERSIONING: 'true' }))).exitCode).toBe(
      1,
    )
    expect((await settings.read(there))?.versioning).toBe('off')
    settings.close()
  })

  it('removes the bucket in which it tried that', async () => {
    const client = createS3Client(connectionOf(provisioner, ''))
    const bucketsOf = async () =>
      (await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)
    const before = await bucketsOf()
    await provision(['apply'], environment(newBucket(), { PROVISION_VERSIONING: 'true' }))
    expect(await bucketsOf()).toEqual(before)
    client.destroy()
  })

  it('says what follows for the only replica where it keeps versions, and nothing where it keeps none', async () => {
    const versioned = await provision(['apply'], environment(newBucket(), kept))
    expect(versioned.out).toContain('has no conditions of writes where it keeps versions')
    expect(versioned.exitCode).toBe(0)
    const plain = await provision(['apply'], environment(newBucket()))
    expect(plain.out).not.toContain('conditions of writes')
  })

  it('keeps Loki and Tempo to a bucket each, and out of the others', async () => {
    const loki = newBucket()
    const env = environment(newBucket(), {
      S3_BUCKET_LOKI: loki,
      PROVISION_LOKI_PRINCIPALS: otherKey.principal,
    })
    expect((await provision(['apply'], env)).exitCode).toBe(0)
    const verified = await provision(['--verify'], asService(env))
    expect(verified.out).toContain(`✓ reach bucket ${loki} is refused: 403`)
    expect(verified.exitCode).toBe(0)
  })
})

describe('bun run provision --verify on Ceph RGW', () => {
  it("holds for the service's key, and finds everything that another key of the project may do", async () => {
    const bucket = newBucket()
    const env = environment(bucket)
    await provision(['apply'], env)
    const good = await provision(['--verify'], asService(env))
    expect(good.out).toEndWith('✓ 25 tried, 0 wrong\n')
    expect(good.exitCode).toBe(0)
    const wide = await provision(['--verify', '--json'], asService(env, provisioner))
    expect(wide.exitCode).toBe(1)
    const tried = wide.events().filter(({ event }) => event === 'tried')
    expect(tried.filter(({ expected, held }) => expected === 'works' && !held)).toEqual([])
    expect(tried.filter(({ expected, held }) => expected === 'refused' && held)).toEqual([])
    // Nothing was changed by trying.
    expect((await provision(['plan'], env)).out).toContain('✓ everything is as it should be')
    const out = await provision(['--verify', '--json'], asService(env, otherKey))
    expect(out.events().filter(({ expected, held }) => expected === 'works' && held)).toEqual([])
  })

  it('no key but the two reaches a document, and the service none outside of its prefix', async () => {
    const bucket = newBucket()
    await provision(['apply'], environment(bucket))
    const bytes = new Uint8Array(1)
    const put = { size: 1, contentType: 'text/plain' }
    const owner = createS3ObjectStore(connectionOf(provisioner, bucket))
    await owner.put('docs/a', bytes, put)
    await owner.put('elsewhere/a', bytes, put)
    const service = createS3ObjectStore(connectionOf(user, bucket))
    await (await service.get('docs/a'))?.body.cancel()
    const denied = expect.objectContaining({ code: 'denied' })
    await expect(service.get('elsewhere/a')).rejects.toEqual(denied)
    const other = createS3ObjectStore(connectionOf(otherKey, bucket))
    await expect(other.get('docs/a')).rejects.toEqual(denied)
    await expect(other.list({ prefix: 'docs/', limit: 1 })).rejects.toEqual(denied)
    for (const store of [owner, service, other]) store.close()
  })
})

describe('the table of rights, on Ceph RGW', () => {
  const bucket = newBucket()
  let service: InProcessService
  let operations: StoreOperations

  beforeAll(async () => {
    const env = environment(bucket, { ...alone, PROVISION_OBJECT_LOCK: 'on' })
    const { exitCode, out, err } = await provision(['apply'], env)
    if (exitCode !== 0) throw new Error(out + err)
    const store = { ...connectionOf(user, bucket), serviceKey: user }
    const { findings } = await probeStore(store, 'docs/', { securityOnly: true })
    const capabilities = capabilitiesOf(findings)
    service = await serviceInProcess({ store, bucket, capabilities, singleReplica: true })
    operations = await storeOperations(service, connectionOf(provisioner, bucket), [
      ...(['conditional-put', 'conditional-overwrite'] as const),
    ])
  })

  afterAll(async () => {
    operations.close()
    await service.stop()
  })

  it('is enough for everything that the service does', async () => {
    expect(await failuresOf(operations)).toEqual([])
  })

  it('has no right too many: each one that is taken away breaks what the table says', async () => {
    const settings = createBucketSettings(connectionOf(provisioner, bucket))
    const place = { bucket, prefix: 'docs/' }
    const principals = { provisioners: [provisioner.principal], users: [user.principal] }
    const unbroken = await rightsTooMany(operations, (rights) =>
      settings.putPolicy(bucket, narrowingPolicy(place, principals, rights)),
    )
    settings.close()
    expect(unbroken).toEqual([])
  }, 300_000)
})
