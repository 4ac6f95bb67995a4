import type { ProbeAnswer } from '../s3/probe-client.ts'
import { accepted, described, judge, type Observation, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'

/** How is the bucket set up, and what does the store clean up by itself? */

export async function probeMultipartAbort(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('multipart')
  const started = await scratch.client.send({ method: 'POST', key, query: { uploads: '' } })
  const uploadId = /<UploadId>([^<]+)<\/UploadId>/.exec(started.text)?.[1]
  if (!uploadId) return { verdict: refused(started) ? 'no' : 'unknown', seen: `begin: ${described(started)}` }
  const query = { partNumber: '1', uploadId }
  const part = await scratch.client.send({ method: 'PUT', key, query, body: 'a part' })
  const right = await scratch.client.send({ method: 'DELETE', key, query: { uploadId } })
  const after = await scratch.client.send({ method: 'PUT', key, query, body: 'a part' })
  return accepted(part) ? judge(right, { 'part after abort': after }) : judge(part, {})
}

/** Yes: a rule empties staging. Stores that expire unfinished uploads by themselves need no rule for them. */
export async function probeLifecycle({ client, prefix }: Scratch): Promise<Observation> {
  const answer = await client.send({ method: 'GET', key: null, query: { lifecycle: '' } })
  if (!accepted(answer)) return configured(answer, false, '')
  const rules = answer.text.match(/<Rule>[\s\S]*?<\/Rule>/g) ?? []
  const covers = (rule: string) => {
    const rulePrefix = /<Prefix>([^<]*)<\/Prefix>/.exec(rule)?.[1] ?? ''
    return `${prefix}staging/`.startsWith(rulePrefix) && /<Status>Enabled<\/Status>/.test(rule)
  }
  const active = rules.filter(covers)
  const expires = active.some((rule) => rule.includes('<Expiration>'))
  const aborts = active.some((rule) => rule.includes('<AbortIncompleteMultipartUpload>'))
  return configured(
    answer,
    expires,
    `staging expires: ${yesNo(expires)}, unfinished uploads: ${yesNo(aborts)}`,
  )
}

export async function probeVersioning({ client }: Scratch): Promise<Observation> {
  const answer = await client.send({ method: 'GET', key: null, query: { versioning: '' } })
  const status = /<Status>(\w+)<\/Status>/.exec(answer.text)?.[1] ?? 'off'
  return configured(answer, status === 'Enabled', `versioning ${status}`)
}

export async function probeObjectLock({ client }: Scratch): Promise<Observation> {
  const answer = await client.send({ method: 'GET', key: null, query: { 'object-lock': '' } })
  const enabled = answer.text.includes('<ObjectLockEnabled>Enabled</ObjectLockEnabled>')
  return configured(answer, enabled, `object lock ${enabled ? 'on' : 'off'}`)
}

/** Yes: a browser on that origin may send a form to the bucket (Fetch standard, "CORS-preflight fetch"). */
export async function probeCors({ client, connection, origin }: Scratch): Promise<Observation> {
  const url = new URL(connection.endpoint)
  const answer = await client.fetch(
    connection.forcePathStyle
      ? `${url.origin}/${connection.bucket}`
      : `${url.protocol}//${connection.bucket}.${url.host}/`,
    { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } },
  )
  const allowed = answer.headers.get('access-control-allow-origin')
  const yes = accepted(answer) && (allowed === '*' || allowed === origin)
  return configured(answer, yes, `${described(answer)}, allowed origin: ${allowed ?? 'none'}`)
}

function configured(answer: ProbeAnswer, yes: boolean, seen: string): Observation {
  if (accepted(answer)) return { verdict: yes ? 'yes' : 'no', seen }
  // 404 is "no such configuration", 400 and 501 "no such thing here".
  const no = refused(answer) || answer.status === 501
  return { verdict: no ? 'no' : 'unknown', seen: seen || described(answer) }
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
