import type { ProbeAnswer } from '../s3/probe-client.ts'
import { accepted, described, judge, type Observation, type ProbeRow, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'

/** How is the bucket set up, and what does the store clean up by itself? */
export const bucketRows: readonly ProbeRow[] = [
  {
    id: 'multipart-abort',
    question: 'Does an upload in parts end when it is aborted?',
    weight: 'limit',
    whenYes: 'failed uploads leave nothing',
    whenNo: 'failed uploads may leave parts that cost money: add a lifecycle rule',
    whenUnknown: 'not known: failed uploads may leave parts',
    async ask(scratch) {
      const key = scratch.key('multipart')
      const { begun, uploadId } = await scratch.beginUpload(key)
      if (!uploadId) return { verdict: refused(begun) ? 'no' : 'unknown', seen: `begin: ${described(begun)}` }
      const query = { partNumber: '1', uploadId }
      const part = await scratch.client.send({ method: 'PUT', key, query, body: 'a part' })
      const right = await scratch.client.send({ method: 'DELETE', key, query: { uploadId } })
      const after = await scratch.client.send({ method: 'PUT', key, query, body: 'a part' })
      return accepted(part) ? judge(right, { 'part after abort': after }) : judge(part, {})
    },
  },
  {
    id: 'lifecycle',
    question: 'Does a lifecycle rule empty staging?',
    weight: 'limit',
    whenYes: 'leftovers disappear even while no service runs',
    whenNo: 'the service’s hourly sweep alone removes leftovers: add a rule that expires staging after a day',
    whenUnknown: 'not known: the service’s hourly sweep removes leftovers in any case',
    /** Yes: a rule empties staging. Stores that expire unfinished uploads by themselves need no rule for them. */
    async ask({ client, prefix }) {
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
    },
  },
  {
    id: 'versioning',
    question: 'Does the bucket keep old versions of objects?',
    weight: 'note',
    whenYes: 'deleted bytes stay, and cost, until a lifecycle rule expires old versions',
    whenNo: 'deleted bytes are gone',
    whenUnknown: 'not known: deleted bytes may stay',
    async ask({ client }) {
      const answer = await client.send({ method: 'GET', key: null, query: { versioning: '' } })
      const status = /<Status>(\w+)<\/Status>/.exec(answer.text)?.[1] ?? 'off'
      return configured(answer, status === 'Enabled', `versioning ${status}`)
    },
  },
  {
    id: 'object-lock',
    question: 'Is object lock on for the bucket?',
    weight: 'note',
    whenYes: 'objects under a lock cannot be deleted, and staging cannot be emptied',
    whenNo: 'nothing keeps documents from being deleted by an admin',
    whenUnknown: 'not known: deleting may be refused',
    async ask({ client }) {
      const answer = await client.send({ method: 'GET', key: null, query: { 'object-lock': '' } })
      const enabled = answer.text.includes('<ObjectLockEnabled>Enabled</ObjectLockEnabled>')
      return configured(answer, enabled, `object lock ${enabled ? 'on' : 'off'}`)
    },
  },
  {
    id: 'cors',
    question: 'May a browser of another origin upload to the bucket (CORS)?',
    weight: 'note',
    whenYes: 'browsers can use tickets',
    whenNo: 'browsers upload through the service; a CORS rule for the UI’s origin would change that',
    whenUnknown: 'not known: browsers may have to upload through the service',
    ask: probeCors,
  },
]

/** Asks whether a browser on that origin may send a form to the bucket (Fetch standard, "CORS-preflight fetch"). */
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
