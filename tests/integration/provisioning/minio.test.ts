import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { capabilitiesOf, probeStore } from '../../../service/object-store/probe/probe.ts'
import { userPolicy } from '../../../service/provisioning/bucket-policy.ts'
import { serviceRights } from '../../../service/provisioning/service-rights.ts'
import { newBucket, placeOf, provision } from '../../support/commands/provision-under-test.ts'
import { type InProcessService, serviceInProcess } from '../../support/service/service-for-tests.ts'
import { minioUsers } from '../../support/stores/minio-users.ts'
import { asService } from '../../support/stores/service-key.ts'
import { startPrivateStore } from '../../support/stores/store.ts'
import {
  failuresOf,
  rightsTooMany,
  type StoreOperations,
  storeOperations,
} from '../../support/stores/store-operations.ts'

const minio = await startPrivateStore()
const users = await minioUsers(minio)
const user = await users.add()

afterAll(async () => {
  await users.close()
  await minio.stop()
})

function environment(bucket: string, changed: Record<string, string> = {}): Record<string, string> {
  return {
    ...placeOf(minio, bucket),
    PROVISION_ACCESS_KEY_ID: minio.accessKeyId,
    PROVISION_SECRET_ACCESS_KEY: minio.secretAccessKey,
    ...changed,
  }
}

describe('bun run provision on MinIO', () => {
  it('sets up what MinIO can do, and says what it cannot and what does it instead', async () => {
    const env = environment(newBucket(), { PROVISION_VERSIONING: 'true' })
    const applied = await provision(['apply'], env)
    expect(applied.out).toContain('- ')
    expect(applied.out).toContain('the store does not abort unfinished uploads (400')
    expect(applied.out).toContain('! 5 changed, 1 that the store could not do')
    expect(applied.exitCode).toBe(0)
    const again = await provision(['plan', '--json'], env)
    const changes = again.events().filter(({ event }) => event === 'change')
    expect(changes).toMatchObject([{ setting: 'lifecycle' }])
    expect(changes[0]?.shouldBe).toContain('unfinished-uploads-abort')
  })

  it('fails if MinIO refuses what was asked for: a policy that names keys, and a CORS rule', async () => {
    const env = environment(newBucket(), {
      PROVISION_PRINCIPALS: 'arn:aws:iam:::user/root',
      PROVISION_SERVICE_PRINCIPALS: `arn:aws:iam:::user/${user.accessKeyId}`,
      PROVISION_UI_ORIGINS: 'https://documents.example.com',
    })
    const { exitCode, out } = await provision(['apply', '--json'], env)
    const refused = out
      .split('\n')
      .filter((line) => line.includes('"done":false') && !line.includes('harmless'))
    expect(refused.map((line) => JSON.parse(line).setting)).toEqual(['cors', 'policy'])
    expect(out).toContain('provision user-policy')
    expect(exitCode).toBe(1)
  })
})

describe('the table of rights, on MinIO', () => {
  const bucket = newBucket()
  const place = { bucket, prefix: 'docs/' }
  let env: Record<string, string>
  let service: InProcessService
  let operations: StoreOperations

  beforeAll(async () => {
    env = environment(bucket, { PROVISION_OBJECT_LOCK: 'on' })
    const { exitCode, out, err } = await provision(['apply'], env)
    if (exitCode !== 0) throw new Error(out + err)
    const [policy] = (await provision(['user-policy'], env)).events()
    await users.setPolicy(user, policy ?? {})
    const store = { ...minio, serviceKey: user }
    const { findings } = await probeStore({ ...asService(store), bucket, connectionsMax: 4 }, 'docs/', {
      securityOnly: true,
    })
    const capabilities = capabilitiesOf(findings)
    service = await serviceInProcess({ store, bucket, capabilities })
    operations = await storeOperations(service, { ...minio, bucket, connectionsMax: 4 })
  })

  afterAll(async () => {
    operations.close()
    await service.stop()
  })

  it('is enough for everything that the service does, as `user-policy` prints it', async () => {
    expect(await failuresOf(operations)).toEqual([])
  })

  it("is within the local stack's policy, with which the service can do everything", async () => {
    const file = new URL('../../../compose/stacks/object-store/bucket-policy.json', import.meta.url)
    const local = JSON.parse((await Bun.file(file).text()).replaceAll('BUCKET', bucket))
    await users.setPolicy(user, local)
    expect(await failuresOf(operations)).toEqual([])
    await users.setPolicy(user, userPolicy(place, serviceRights))
  })

  it('holds for that user with --verify, which finds what the root user may do', async () => {
    const keys = { S3_ACCESS_KEY_ID: user.accessKeyId, S3_SECRET_ACCESS_KEY: user.secretAccessKey }
    const good = await provision(['--verify'], { ...env, ...keys })
    expect(good.out).toEndWith('✓ 25 tried, 0 wrong\n')
    const root = { S3_ACCESS_KEY_ID: minio.accessKeyId, S3_SECRET_ACCESS_KEY: minio.secretAccessKey }
    const wide = await provision(['--verify', '--json'], { ...env, ...root })
    const broken = wide.events().filter(({ held }) => held === false)
    expect(broken.map(({ what }) => what)).toContain('change the policy')
    expect(broken.map(({ what }) => what)).toContain('write outside of the prefix')
    expect(wide.exitCode).toBe(1)
  })

  it('has no right too many: each one that is taken away breaks what the table says', async () => {
    const unbroken = await rightsTooMany(operations, (rights) =>
      users.setPolicy(user, userPolicy(place, rights)),
    )
    expect(unbroken).toEqual([])
  }, 300_000)
})
