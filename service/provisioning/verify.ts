import type { Place } from '../config/checks.ts'
import { described } from '../object-store/probe/finding.ts'
import type { S3Connection } from '../object-store/s3/connection.ts'
import { createProbeClient, type ProbeAnswer, type ProbeRequest } from '../object-store/s3/probe-client.ts'

/** One thing that was tried with the service's key. */
export interface Tried {
  what: string
  /** `works`: the service needs it. `refused`: no one who obtains its key may be able to do it. */
  expected: 'works' | 'refused'
  held: boolean
  /** Status and error code of the answer. */
  seen: string
}

type Attempt = ProbeRequest & {
  what: string
  /** Matches the answer of a store in which no key at all could do this, regardless of its rights. */
  impossible?: RegExp
}

/**
 * Tries, with the service's own key, what it needs and what it must not be able to do. Forbidden requests change
 * nothing even if the store lets them through: they have a body that no store accepts, a key of this run, or a bucket
 * that is not empty. Stores check the right before they check the request.
 *
 * What cannot be tried in this way is left out: DeleteBucketPolicy and BypassGovernanceRetention.
 *
 * @param others buckets of other programs, which the key must not reach.
 * @param onTried receives each attempt as soon as it is answered.
 */
export async function verifyRights(
  connection: S3Connection,
  place: Place,
  others: readonly string[],
  onTried: (tried: Tried) => void | Promise<void> = () => {},
): Promise<Tried[]> {
  const client = createProbeClient(connection)
  const key = `${place.prefix}staging/_provision/${crypto.randomUUID()}`
  const tried: Tried[] = []
  const note = (one: Tried) => {
    tried.push(one)
    onTried(one)
  }
  const ask = async ({ what, impossible, ...request }: Attempt, expected: Tried['expected']) => {
    const answer = await client.send(request)
    note({
      what,
      expected,
      held:
        expected === 'works' ? isGood(answer) : isRefusal(answer) || impossible?.test(answer.text) === true,
      seen: described(answer),
    })
    return answer
  }
  try {
    await ask({ what: 'put an object', method: 'PUT', key, body: 'bytes' }, 'works')
    for (const attempt of reads(key, place)) await ask(attempt, 'works')
    const begun = await ask(
      { what: 'begin an upload in parts', method: 'POST', key, query: { uploads: '' } },
      'works',
    )
    const uploadId = /<UploadId>([^<]+)</.exec(begun.text)?.[1] ?? 'none'
    const part = { method: 'PUT', key, query: { partNumber: '1', uploadId }, body: 'bytes' } as const
    await ask({ what: 'upload a part', ...part }, 'works')
    await ask({ what: 'abort an upload in parts', method: 'DELETE', key, query: { uploadId } }, 'works')
    for (const attempt of forbidden(key, others)) await ask(attempt, 'refused')
    await tryOutside(ask, client)
  } finally {
    await ask({ what: 'delete an object', method: 'DELETE', key }, 'works')
  }
  return tried
}

function reads(key: string, { prefix }: Place): Attempt[] {
  return [
    { what: 'read an object', method: 'GET', key },
    { what: 'reach the bucket', method: 'HEAD', key: null },
    {
      what: 'list',
      method: 'GET',
      key: null,
      query: { 'list-type': '2', prefix: `${prefix}tenants/`, 'max-keys': '1' },
    },
    {
      what: 'list unfinished uploads',
      method: 'GET',
      key: null,
      query: { uploads: '', prefix: `${prefix}staging/` },
    },
    { what: 'read the lifecycle rules', method: 'GET', key: null, query: { lifecycle: '' } },
    { what: 'read whether there are versions', method: 'GET', key: null, query: { versioning: '' } },
  ]
}

/** No store accepts this as a configuration. */
const nonsense = 'neither XML nor JSON'

/** MinIO reads this one before it checks the right, so it has to be valid: at worst, the scratch key is kept for so long. */
function shortRetention(): string {
  const until = new Date(Date.now() + 10_000).toISOString()
  return `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`
}

/** MinIO requires it before it checks the right. */
function md5Of(body: string): Record<string, string> {
  return { 'content-md5': new Bun.CryptoHasher('md5').update(body).digest('base64') }
}

function forbidden(key: string, others: readonly string[]): Attempt[] {
  const put = (what: string, setting: string, of: string | null = null, body = nonsense): Attempt => {
    return { what, method: 'PUT', key: of, query: { [setting]: '' }, headers: md5Of(body), body }
  }
  return [
    put('change the policy', 'policy'),
    put('change the lifecycle rules', 'lifecycle'),
    put('change the CORS rules', 'cors'),
    put('switch versions', 'versioning'),
    put('change the object lock', 'object-lock'),
    put('change who may use the bucket (ACL)', 'acl'),
    put('make an object public (ACL)', 'acl', key),
    {
      ...put('set the retention of an object', 'retention', key, shortRetention()),
      // The message of MinIO about a bucket without object lock, before it checks the right.
      impossible: /missing ObjectLockConfiguration/,
    },
    put('set a legal hold', 'legal-hold', key),
    { what: 'read the policy', method: 'GET', key: null, query: { policy: '' } },
    { what: 'delete an old version', method: 'DELETE', key, query: { versionId: oldVersion } },
    // The scratch object is in it, so it cannot succeed.
    { what: 'delete the bucket', method: 'DELETE', key: null },
    ...others.map(
      (bucket): Attempt => ({ what: `reach bucket ${bucket}`, method: 'HEAD', key: null, bucket }),
    ),
  ]
}

/** In the form of version ids of RGW and MinIO, and of no version. */
const oldVersion = '00000000-0000-4000-8000-000000000000'

async function tryOutside(
  ask: (attempt: Attempt, expected: Tried['expected']) => Promise<ProbeAnswer>,
  client: ReturnType<typeof createProbeClient>,
): Promise<void> {
  const key = `_provision-outside-of-every-prefix/${crypto.randomUUID()}`
  // Not a read: RGW tells every key that may list that the object is absent.
  await ask({ what: 'delete outside of the prefix', method: 'DELETE', key }, 'refused')
  const put = await ask({ what: 'write outside of the prefix', method: 'PUT', key, body: 'bytes' }, 'refused')
  if (isGood(put)) await client.send({ method: 'DELETE', key })
}

/** A 404 about a setting that does not exist is an answer to a key that may read it. */
function isGood({ status, code }: ProbeAnswer): boolean {
  return (status >= 200 && status < 300) || (status === 404 && /^NoSuch\w*Configuration$/.test(code))
}

/** 501: the store does not have this operation at all. */
function isRefusal({ status }: ProbeAnswer): boolean {
  return status === 401 || status === 403 || status === 501
}
