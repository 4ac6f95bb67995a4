import { Type } from '@sinclair/typebox'
import { ConfigError, parseStoreConfig, type StoreConfig } from '../config/config.ts'
import {
  type Environment,
  type Problem,
  type ReadFile,
  readVariables,
  type ValuesOf,
  variable,
} from '../config/parse.ts'
import { variables } from '../config/variables.ts'
import type { Principals } from './bucket-policy.ts'
import { serviceRights, telemetryRights } from './service-rights.ts'
import { type BucketWishes, type ObjectLock, type WantedBucket, wantedBucket } from './wanted-bucket.ts'

const principalForm = /^arn:aws:iam::[A-Za-z0-9]*:user\/[A-Za-z0-9._:@$-]{1,128}$/
const lockForm = /^(governance|compliance):([1-9]\d{0,3})$/

const principals = variable({
  schema: Type.String(),
  form: 'ARNs such as arn:aws:iam:::user/p1234567:<access key id>, with commas',
  meaning: 'principals',
  rule: (text) =>
    listed(text).every((each) => principalForm.test(each))
      ? undefined
      : 'must be ARNs such as arn:aws:iam:::user/p1234567:<access key id>, with commas',
})

/** What `bun run provision` reads as well as `S3_*`; a test compares the table in the README with this. */
export const provisionVariables = {
  PROVISION_ACCESS_KEY_ID: variable({
    ...variables.S3_ACCESS_KEY_ID,
    meaning: 'the provisioning key, which the service never has; also `…_FILE`',
  }),
  PROVISION_SECRET_ACCESS_KEY: variable({
    ...variables.S3_SECRET_ACCESS_KEY,
    meaning: 'its secret; also `…_FILE`',
  }),
  PROVISION_PRINCIPALS: variable({
    ...principals,
    meaning: 'who may change the buckets, with commas between them: this key, and a spare one',
  }),
  PROVISION_SERVICE_PRINCIPALS: variable({
    ...principals,
    meaning: 'who works in the bucket of the documents, two while a key is changed; none: no policy',
  }),
  PROVISION_LOKI_PRINCIPALS: variable({ ...principals, meaning: "who works in Loki's bucket" }),
  PROVISION_TEMPO_PRINCIPALS: variable({ ...principals, meaning: "who works in Tempo's bucket" }),
  PROVISION_UI_ORIGINS: variable({
    schema: Type.String(),
    form: 'origins such as https://documents.example.com, with commas',
    meaning: 'origins whose pages may use signed URLs of the documents, with commas; none: no CORS rule',
    rule: (text) =>
      listed(text).every((each) => URL.parse(each)?.origin === each)
        ? undefined
        : 'must be origins such as https://documents.example.com, with commas',
  }),
  PROVISION_VERSIONING: variable({
    schema: Type.Boolean(),
    form: '`true` or `false`',
    meaning: '`true` keeps old and deleted versions of the documents; `false` asks for nothing',
    fallback: 'false',
  }),
  PROVISION_OLD_VERSION_DAYS: variable({
    schema: Type.Integer({ minimum: 1, maximum: 9999 }),
    form: 'a whole number from 1 to 9999',
    meaning: 'how long those are kept; 30',
    fallback: '30',
  }),
  PROVISION_OBJECT_LOCK: variable({
    schema: Type.String({ pattern: `^on$|${lockForm.source}` }),
    form: 'on, governance:<days> or compliance:<days>',
    meaning: '`on`, `governance:<days>` or `compliance:<days>`, only for a bucket that is new; none',
  }),
  SINGLE_REPLICA: variable({
    ...variables.SINGLE_REPLICA,
    meaning:
      'as for the service: with `true` versions may be kept where the store then has no conditions of writes',
  }),
} as const

type ProvisionValues = ValuesOf<typeof provisionVariables>

/** Where the buckets are, how they should be set up, and the key to do so. */
export interface ProvisionConfig {
  s3: StoreConfig['s3']
  buckets: WantedBucket[]
  /** What the documents' key may do where a store has users: see `userPolicy`. */
  docs: StoreConfig['docs']
  /** The service decides between writers itself, so that conditions of the store do not matter. */
  singleReplica: boolean
}

/**
 * Reads the configuration of `bun run provision`. The service's own key is not read.
 *
 * @throws {ConfigError} with all problems at once.
 */
export async function parseProvisionConfig(env: Environment, readFile: ReadFile): Promise<ProvisionConfig> {
  const given = withoutEmpty(env)
  const { values, problems } = readVariables(provisionVariables, given, { readFile, prefix: 'PROVISION_' })
  problems.push(...principalProblems(values))
  const keys = {
    S3_ACCESS_KEY_ID: values.PROVISION_ACCESS_KEY_ID ?? notGiven,
    S3_SECRET_ACCESS_KEY: values.PROVISION_SECRET_ACCESS_KEY ?? notGiven,
  }
  const store = await parseStoreConfig({ ...withoutServiceKey(env), ...keys }, readFile).catch(
    (error: unknown) => {
      if (!(error instanceof ConfigError)) throw error
      problems.push(...error.problems)
    },
  )
  if (problems.length > 0 || !store) throw new ConfigError(problems)
  const { s3, docs, loki, tempo } = store
  const oldVersionDays = values.PROVISION_OLD_VERSION_DAYS ?? 30
  const plain = { versioning: false, objectLock: null, browserOrigins: [], oldVersionDays }
  const wishes: BucketWishes[] = [
    {
      place: docs,
      stagingPrefix: `${docs.prefix}staging/`,
      tenantsPrefix: `${docs.prefix}tenants/`,
      versioning: values.PROVISION_VERSIONING === true,
      objectLock: objectLockOf(values.PROVISION_OBJECT_LOCK),
      oldVersionDays,
      browserOrigins: listed(values.PROVISION_UI_ORIGINS),
      rights: serviceRights,
      principals: principalsOf('SERVICE', values),
    },
  ]
  for (const [place, whose] of [
    [loki, 'LOKI'],
    [tempo, 'TEMPO'],
  ] as const) {
    if (place === undefined) continue
    wishes.push({ ...plain, place, rights: telemetryRights, principals: principalsOf(whose, values) })
  }
  const singleReplica = values.SINGLE_REPLICA === true
  return { s3, docs, singleReplica, buckets: oncePerBucket(wishes).map(wantedBucket) }
}

const users = ['SERVICE', 'LOKI', 'TEMPO'] as const
type User = (typeof users)[number]

function principalsOf(whose: User, values: ProvisionValues): Principals | null {
  const named = listed(values[`PROVISION_${whose}_PRINCIPALS`])
  return named.length === 0 ? null : { provisioners: listed(values.PROVISION_PRINCIPALS), users: named }
}

function principalProblems(values: ProvisionValues): Problem[] {
  const problems: Problem[] = []
  const provisioners = listed(values.PROVISION_PRINCIPALS)
  for (const name of users.map((whose) => `PROVISION_${whose}_PRINCIPALS` as const)) {
    const named = listed(values[name])
    if (named.some((each) => provisioners.includes(each))) {
      problems.push({ variable: name, problem: 'must not name one of PROVISION_PRINCIPALS' })
    }
    if (named.length > 0 && provisioners.length === 0) {
      problems.push({ variable: 'PROVISION_PRINCIPALS', problem: `is missing: ${name} asks for a policy` })
    }
  }
  return problems
}

function objectLockOf(text: string | undefined): ObjectLock | null {
  if (text === undefined) return null
  const [, mode, days] = lockForm.exec(text) ?? []
  if (mode === undefined) return {}
  return { retention: { mode: mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE', days: Number(days) } }
}

function listed(text = ''): string[] {
  return text.split(',').filter((each) => each !== '')
}

/** Stands in for a key with a problem, so that the rest of the configuration is checked as well. */
const notGiven = 'not-given'

/** A variable of the provisioner that is empty is the same as one that is not set. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}

function withoutServiceKey(env: Environment): Environment {
  const keyNames = /^S3_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)(_FILE)?$/
  return Object.fromEntries(Object.entries(env).filter(([name]) => !keyNames.test(name)))
}

/** Two of them in one bucket would replace each other's policy. */
function oncePerBucket(wishes: BucketWishes[]): BucketWishes[] {
  const buckets = new Set<string>()
  for (const { place } of wishes) {
    if (buckets.has(place.bucket)) {
      const problem = `names a bucket that is used twice (${place.bucket}): give each a bucket of its own`
      throw new ConfigError([{ variable: 'S3_BUCKET_DOCS', problem }])
    }
    buckets.add(place.bucket)
  }
  return wishes
}
