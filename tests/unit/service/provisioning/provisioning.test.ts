import { describe, expect, it } from 'bun:test'
import {
  deniableActions,
  narrowingPolicy,
  userPolicy,
} from '../../../../service/provisioning/bucket-policy.ts'
import { planBucket } from '../../../../service/provisioning/plan.ts'
import {
  parseProvisionConfig,
  provisionVariables,
} from '../../../../service/provisioning/provision-config.ts'
import { serviceRights, telemetryRights } from '../../../../service/provisioning/service-rights.ts'

const readme = await Bun.file(new URL('../../../../service/provisioning/README.md', import.meta.url)).text()

/** Rows of the table between the marks, as cells. */
function tableOf(name: string): string[][] {
  const table = readme.split(`<!-- ${name}:begin -->\n`)[1]?.split(`\n<!-- ${name}:end -->`)[0] ?? ''
  const rows = table.split('\n').slice(2)
  return rows.map((row) => row.split(' | ').map((cell) => cell.replaceAll(/^\| | \|$|`/g, '')))
}

const place = { bucket: 'docs', prefix: 'docs/' }
const principals = { provisioners: ['arn:aws:iam:::user/p1:A'], users: ['arn:aws:iam:::user/p1:B'] }

describe('service/provisioning/README.md', () => {
  it('has the rights of the service as the code has them', () => {
    expect(tableOf('rights')).toEqual(serviceRights.map(({ action, on, breaks }) => [action, on, breaks]))
  })

  it('has the variables as the code has them', () => {
    const known = Object.entries(provisionVariables)
    expect(tableOf('variables')).toEqual(
      known.map(([name, { meaning }]) => [name, meaning.replaceAll('`', '')]),
    )
  })
})

describe('the policies', () => {
  it('grant the local MinIO the rights of the service, Loki and Tempo together', async () => {
    const file = new URL('../../../../compose/stacks/object-store/bucket-policy.json', import.meta.url)
    const { Statement } = await Bun.file(file).json()
    const rights = [...serviceRights, ...telemetryRights]
    const actionsOn = (on: string) => [
      ...new Set(rights.filter((right) => right.on === on).map(({ action }) => action)),
    ]
    expect(Statement[0].Action.toSorted()).toEqual(actionsOn('bucket').toSorted())
    expect(Statement[1].Action.toSorted()).toEqual(actionsOn('objects').toSorted())
    expect(Statement[2]).toMatchObject({ Effect: 'Deny', Action: ['s3:DeleteObjectVersion'] })
  })

  it('deny a narrowed key every known action that it does not need, and nothing that it needs', () => {
    const [only, noMore] = narrowingPolicy(place, principals, serviceRights).Statement
    expect(only?.NotPrincipal?.AWS).toEqual(['arn:aws:iam:::user/p1:A', 'arn:aws:iam:::user/p1:B'])
    const needed = serviceRights.map(({ action }) => action)
    expect([...(noMore?.Action ?? []), ...needed].toSorted()).toEqual(deniableActions.toSorted())
  })

  it('allow a user the rights of the table below the prefix, and no old version', () => {
    const { Statement } = userPolicy(place, serviceRights)
    expect(Statement.map(({ Effect, Resource }) => [Effect, Resource])).toEqual([
      ['Allow', ['arn:aws:s3:::docs']],
      ['Allow', ['arn:aws:s3:::docs/docs/*']],
      ['Deny', ['arn:aws:s3:::docs/*']],
    ])
  })
})

describe('the configuration of provisioning', () => {
  const good = {
    S3_ENDPOINT: 'https://fsn1.your-objectstorage.com',
    S3_REGION: 'fsn1',
    S3_BUCKET_DOCS: 'example-docs',
    PROVISION_ACCESS_KEY_ID_FILE: '/key',
    PROVISION_SECRET_ACCESS_KEY: 'secret-of-provisioning',
  }
  const parse = (env: Record<string, string>) => parseProvisionConfig(env, () => 'key-of-provisioning\n')
  const problems = (env: Record<string, string>) =>
    parse({ ...good, ...env }).then(
      () => '',
      (error: Error) => error.message,
    )

  it('has a key of its own, also from files, and never that of the service', async () => {
    const { s3, buckets } = await parse({ ...good, S3_ACCESS_KEY_ID: 'of-the-service' })
    expect([s3.accessKeyId.reveal(), s3.secretAccessKey.reveal()]).toEqual([
      'key-of-provisioning',
      'secret-of-provisioning',
    ])
    expect(buckets.map(({ place, policy, cors }) => [place.bucket, policy, cors])).toEqual([
      ['example-docs', null, null],
    ])
    const { PROVISION_SECRET_ACCESS_KEY: _secret, ...keyless } = good
    const missing = await parse({ ...keyless, S3_SECRET_ACCESS_KEY: 'of-the-service' }).catch(String)
    expect(missing).toContain('PROVISION_SECRET_ACCESS_KEY is missing')
  })

  it('names everything that is wrong at once, and quotes no value', async () => {
    const message = await problems({
      PROVISION_PRINCIPALS: 'no-one',
      PROVISION_SERVICE_PRINCIPALS: 'arn:aws:iam::123:root',
      PROVISION_UI_ORIGINS: 'https://ui.example/path',
      PROVISION_VERSIONING: 'yes',
      PROVISION_OLD_VERSION_DAYS: '0',
      PROVISION_OBJECT_LOCK: 'governance',
      PROVISION_SERVICE_PRINCIPLES: 'a slip',
    })
    expect(message).toStartWith('The configuration has 7 problems')
    expect(message).not.toMatch(/no-one|:root|a slip/)
  })

  it('refuses a policy that no one could change again, and a service that provisions itself', async () => {
    const arn = 'arn:aws:iam:::user/p1234567:AAAAAAAAAAAAAAAAAAAA'
    expect(await problems({ PROVISION_SERVICE_PRINCIPALS: arn })).toContain('PROVISION_PRINCIPALS is missing')
    const both = { PROVISION_PRINCIPALS: arn, PROVISION_SERVICE_PRINCIPALS: arn }
    expect(await problems(both)).toContain('must not name one of PROVISION_PRINCIPALS')
  })

  it('refuses one bucket for two programs, whose policies would replace each other', async () => {
    expect(await problems({ S3_BUCKET_LOKI: 'example-docs' })).toContain('give each a bucket of its own')
  })

  it('switches versions on with object lock, and lets old ones expire', async () => {
    const { buckets } = await parse({ ...good, PROVISION_OBJECT_LOCK: 'compliance:90' })
    const [wanted] = buckets
    if (!wanted) throw new Error('no bucket')
    expect(planBucket(wanted, null).map(({ setting, shouldBe }) => [setting, shouldBe])).toEqual([
      ['bucket', 'there, with object lock'],
      ['object lock', 'COMPLIANCE for 90 days'],
      [
        'lifecycle',
        'staging-expires removes objects of docs/staging/ after 1 day, old versions of docs/staging/ after 1 day',
      ],
      [
        'lifecycle',
        'old-versions-expire removes old versions after 30 days, delete markers that hide nothing',
      ],
      [
        'lifecycle',
        'old-records-expire removes all but the 10 newest old versions of docs/tenants/ after 1 day',
      ],
      ['lifecycle', 'unfinished-uploads-abort removes unfinished uploads after 1 day'],
    ])
  })
})
