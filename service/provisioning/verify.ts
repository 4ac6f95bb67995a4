import type { Place } from '../config/checks.ts'
import { limits } from '../limits.ts'
import type { S3Connection } from '../object-store/s3/connection.ts'
import { createProbeClient, type ProbeAnswer, type ProbeRequest } from '../object-store/s3/probe-client.ts'

/** One thing that was tried with the service's key. */
export interface Tried {
  what: string
  /** The service needs it, or nobody who gets hold of its key must be able to do it. */
  expected: 'works' | 'refused'
  held: boolean
  /** In the words of HTTP. */
  seen: string
}

type Attempt = ProbeRequest & {
  what: string
  /** In the answer of a store where nobody at all could do this, whatever their rights. */
  impossible?: RegExp
}

/**
 * Tries, with the service's own key, what it needs and what it must not have. What is forbidden is tried so that
 * it changes nothing where it is let through after all: with a body that no store takes, on keys of our own, or on
 * a bucket that is not empty. Stores look at the right before they look at the request.
 *
 * What cannot be tried so is left out: DeleteBucketPolicy and BypassGovernanceRetention.
 *
 * @param others buckets that belong to somebody else.
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
      seen: said(answer),
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

/** No store takes this for a configuration. */
const nonsense = 'neither XML nor JSON'

/** MinIO reads this one before it looks at the right, so it has to be good: our own key would be kept for so long. */
function shortRetention(): string {
  const until = new Date(Date.now() + 10_000).toISOString()
  return `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${until}</RetainUntilDate></Retention>`
}

/** MinIO asks for it before it looks at the right. */
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
      // MinIO's words about a bucket without object lock, before it looks at the right.
      impossible: /missing ObjectLockConfiguration/,
    },
    put('set a legal hold', 'legal-hold', key),
    { what: 'read the policy', method: 'GET', key: null, query: { policy: '' } },
    { what: 'delete an old version', method: 'DELETE', key, query: { versionId: oldVersion } },
    // There is our object in it, so it cannot succeed.
    { what: 'delete the bucket', method: 'DELETE', key: null },
    ...others.map(
      (bucket): Attempt => ({ what: `reach bucket ${bucket}`, method: 'HEAD', key: null, bucket }),
    ),
  ]
}

/** In the form of RGW's and MinIO's, and nobody's. */
const oldVersion = '00000000-0000-4000-8000-000000000000'

async function tryOutside(
  ask: (attempt: Attempt, expected: Tried['expected']) => Promise<ProbeAnswer>,
  client: ReturnType<typeof createProbeClient>,
): Promise<void> {
  const key = `_provision-outside-of-every-prefix/${crypto.randomUUID()}`
  // Not a read: of what is absent RGW says so, to whoever may list.
  await ask({ what: 'delete outside of the prefix', method: 'DELETE', key }, 'refused')
  const put = await ask({ what: 'write outside of the prefix', method: 'PUT', key, body: 'bytes' }, 'refused')
  if (isGood(put)) await client.send({ method: 'DELETE', key })
}

/** 404 is an answer about a setting that is not there, by somebody who may read it. */
function isGood({ status, code }: ProbeAnswer): boolean {
  return (status >= 200 && status < 300) || (status === 404 && /^NoSuch\w*Configuration$/.test(code))
}

/** 501: a store cannot do what it does not know. */
function isRefusal({ status }: ProbeAnswer): boolean {
  return status === 401 || status === 403 || status === 501
}

function said({ status, code }: ProbeAnswer): string {
  if (status === 0) return `no answer in ${limits.probeAnswerSecondsMax} s`
  return code === '' ? String(status) : `${status} ${code}`
}
