import { ConfigError, parseStoreConfig, type StoreConfig } from '../config/config.ts'
import { codeOf, type Environment, type Problem, type ReadFile } from '../config/source.ts'
import type { Principals } from './bucket-policy.ts'
import { serviceRights, telemetryRights } from './service-rights.ts'
import { type BucketWishes, type ObjectLock, type WantedBucket, wantedBucket } from './wanted-bucket.ts'

/** What `bun run provision` reads besides `S3_*`; the table of the README is held to this. */
export const provisionVariables = {
  PROVISION_ACCESS_KEY_ID: 'the provisioning key, which the service never has; also `…_FILE`',
  PROVISION_SECRET_ACCESS_KEY: 'its secret; also `…_FILE`',
  PROVISION_PRINCIPALS: 'who may change the buckets, with commas between them: this key, and a spare one',
  PROVISION_SERVICE_PRINCIPALS:
    'who works in the bucket of the documents, two while a key is changed; none: no policy',
  PROVISION_LOKI_PRINCIPALS: "who works in Loki's bucket",
  PROVISION_TEMPO_PRINCIPALS: "who works in Tempo's bucket",
  PROVISION_UI_ORIGINS: 'whose pages browsers let send to the documents, with commas; none: no CORS rule',
  PROVISION_VERSIONING:
    '`true` keeps what is overwritten or deleted in the documents; `false` asks for nothing',
  PROVISION_OLD_VERSION_DAYS: 'how long that is kept; 30',
  PROVISION_OBJECT_LOCK:
    '`on`, `governance:<days>` or `compliance:<days>`, only for a bucket that is new; none',
} as const

type ProvisionVariable = keyof typeof provisionVariables

export interface ProvisionConfig {
  s3: StoreConfig['s3']
  buckets: WantedBucket[]
  /** What the documents' key may do where a store knows users: see `userPolicy`. */
  docs: StoreConfig['docs']
}

const principalForm = /^arn:aws:iam::[A-Za-z0-9]*:user\/[A-Za-z0-9._:@$-]{1,128}$/
const lockForm = /^(governance|compliance):([1-9]\d{0,3})$/

/**
 * Where the buckets are, what they should be, and the key to make them so. The service's own key is not read.
 *
 * @throws {ConfigError} with all problems at once.
 */
export async function parseProvisionConfig(env: Environment, readFile: ReadFile): Promise<ProvisionConfig> {
  const problems: Problem[] = []
  const known = Object.keys(provisionVariables)
  for (const name of Object.keys(env)) {
    if (!name.startsWith('PROVISION_') || env[name] === undefined) continue
    if (known.includes(name.replace(/_FILE$/, ''))) continue
    problems.push({ variable: name, problem: `is not known; there are ${known.join(', ')}` })
  }
  const keys = {
    S3_ACCESS_KEY_ID: secretOf('PROVISION_ACCESS_KEY_ID', env, readFile, problems),
    S3_SECRET_ACCESS_KEY: secretOf('PROVISION_SECRET_ACCESS_KEY', env, readFile, problems),
  }
  const wishes = wishesOf(env, problems)
  const store = await parseStoreConfig({ ...withoutKeys(env), ...keys }, readFile).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
    problems.push(...error.problems.map(asProvision))
  })
  if (problems.length > 0 || !store) throw new ConfigError(problems)
  const { s3, docs, loki, tempo } = store
  const { objectLock, versioning, browserOrigins, oldVersionDays } = wishes
  const plain = { versioning: false, objectLock: null, browserOrigins: [], oldVersionDays }
  const places: (BucketWishes | null)[] = [
    {
      ...{ place: docs, stagingPrefix: `${docs.prefix}staging/`, versioning, objectLock, oldVersionDays },
      ...{ browserOrigins, rights: serviceRights, principals: wishes.principalsOf('SERVICE') },
    },
    loki ? { ...plain, place: loki, rights: telemetryRights, principals: wishes.principalsOf('LOKI') } : null,
    tempo
      ? { ...plain, place: tempo, rights: telemetryRights, principals: wishes.principalsOf('TEMPO') }
      : null,
  ]
  return { s3, docs, buckets: oncePerBucket(places.filter((place) => place !== null)).map(wantedBucket) }
}

interface Wishes
  extends Pick<BucketWishes, 'versioning' | 'objectLock' | 'oldVersionDays' | 'browserOrigins'> {
  principalsOf(whose: 'SERVICE' | 'LOKI' | 'TEMPO'): Principals | null
}

function wishesOf(env: Environment, problems: Problem[]): Wishes {
  const text = (name: ProvisionVariable) => env[name] ?? ''
  const list = (name: ProvisionVariable) =>
    text(name)
      .split(',')
      .filter((each) => each !== '')
  const refuse = (variable: ProvisionVariable, problem: string) => problems.push({ variable, problem })
  const provisioners = list('PROVISION_PRINCIPALS')
  const users = ['SERVICE', 'LOKI', 'TEMPO'] as const
  for (const name of users.map((whose) => `PROVISION_${whose}_PRINCIPALS` as const)) {
    if (!list(name).every((each) => principalForm.test(each))) refuse(name, principalAdvice)
    if (list(name).some((each) => provisioners.includes(each))) {
      refuse(name, 'must not name one of PROVISION_PRINCIPALS')
    }
    if (list(name).length > 0 && provisioners.length === 0) {
      refuse('PROVISION_PRINCIPALS', `is missing: ${name} asks for a policy`)
    }
  }
  if (!provisioners.every((each) => principalForm.test(each))) refuse('PROVISION_PRINCIPALS', principalAdvice)
  if (!list('PROVISION_UI_ORIGINS').every((each) => URL.parse(each)?.origin === each)) {
    refuse('PROVISION_UI_ORIGINS', 'must be origins such as https://documents.example.com, with commas')
  }
  if (!['', 'true', 'false'].includes(text('PROVISION_VERSIONING'))) {
    refuse('PROVISION_VERSIONING', 'must be true or false')
  }
  const days = text('PROVISION_OLD_VERSION_DAYS') || '30'
  if (!/^[1-9]\d{0,3}$/.test(days))
    refuse('PROVISION_OLD_VERSION_DAYS', 'must be a whole number from 1 to 9999')
  return {
    versioning: text('PROVISION_VERSIONING') === 'true',
    objectLock: objectLockOf(text('PROVISION_OBJECT_LOCK'), problems),
    oldVersionDays: Number(days),
    browserOrigins: list('PROVISION_UI_ORIGINS'),
    principalsOf(whose) {
      const named = list(`PROVISION_${whose}_PRINCIPALS`)
      return named.length === 0 ? null : { provisioners, users: named }
    },
  }
}

const principalAdvice = 'must be ARNs such as arn:aws:iam:::user/p1234567:<access key id>, with commas'

function objectLockOf(text: string, problems: Problem[]): ObjectLock | null {
  if (text === '') return null
  if (text === 'on') return {}
  const [, mode, days] = lockForm.exec(text) ?? []
  if (mode) {
    const Mode = mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE'
    return { retention: { mode: Mode, days: Number(days) } }
  }
  const problem = 'must be on, governance:<days> or compliance:<days>'
  problems.push({ variable: 'PROVISION_OBJECT_LOCK', problem })
  return null
}

function secretOf(
  name: ProvisionVariable,
  env: Environment,
  readFile: ReadFile,
  problems: Problem[],
): string | undefined {
  const file = env[`${name}_FILE`]
  if (file === undefined) return env[name]
  if (env[name] !== undefined) {
    problems.push({ variable: name, problem: `is set beside ${name}_FILE: keep one of the two` })
    return undefined
  }
  try {
    return readFile(file).replace(/\r?\n$/, '')
  } catch (error) {
    problems.push({
      variable: `${name}_FILE`,
      problem: `names a file that cannot be read (${codeOf(error)})`,
    })
    return undefined
  }
}

const keyNames = /^S3_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)(_FILE)?$/

function withoutKeys(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !keyNames.test(name)))
}

/** The key was given under another name than the contract's. */
function asProvision({ variable, problem }: Problem): Problem {
  if (!keyNames.test(variable)) return { variable, problem }
  const rename = (text: string) =>
    text.replaceAll(/\bS3_(?=(ACCESS_KEY_ID|SECRET_ACCESS_KEY))/g, 'PROVISION_')
  return { variable: rename(variable), problem: rename(problem) }
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
