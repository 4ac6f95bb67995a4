import { reportedSha256 } from '../s3/checksum.ts'
import type { ProbeAnswer } from '../s3/probe-client.ts'
import type { SignedForm, SignedPut } from '../transfer-signer.ts'
import { accepted, described, judge, type Observation, type ProbeRow, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'
import { sha256Hex } from './writes.ts'

/** Rows about tickets are notes by themselves: `severityOf` weighs what follows from them together. */
const aboutTickets = { weight: 'note', security: true } as const

/**
 * What can be done with a signed upload beyond what it was signed for? The attacks have worked on real stores and are
 * tried on objects of the probe's own (ARCHITECTURE.md, "Upload tickets"; CVE-2026-54330).
 */
export const transferRows: readonly ProbeRow[] = [
  {
    id: 'post-policy',
    question: 'Are uploads by signed form (POST policy) taken, and forged signatures refused?',
    ...aboutTickets,
    whenYes: 'forms can be tickets: see the next rows',
    whenNo: 'no tickets by form',
    async ask(scratch) {
      const right = await tryForm(scratch, 'post/right')
      const wrong = await tryForm(scratch, 'post/forged', { fields: { 'X-Amz-Signature': noSignature } })
      return judge(right, { 'forged signature': wrong })
    },
  },
  {
    id: 'post-policy-bounds',
    question: 'Is a signed form bound to its key, size, type, fields and time?',
    ...aboutTickets,
    whenYes: 'forms can be tickets: see the next row',
    whenNo: 'no tickets by form: a client could upload something other than agreed',
    async ask(scratch) {
      const right = await tryForm(scratch, 'bounds/right')
      const attempt = (name: string, forgery: Forgery) => tryForm(scratch, `bounds/${name}`, forgery)
      return judge(right, {
        shorter: await attempt('shorter', { body: body.slice(1) }),
        longer: await attempt('longer', { body: `${body}!` }),
        'other key': await attempt('key', { fields: { key: scratch.key('bounds/elsewhere') } }),
        'other type': await attempt('type', { fields: { 'Content-Type': 'text/html' } }),
        'field acl': await attempt('acl', { fields: { acl: 'public-read' } }),
        'field copy-source': await attempt('copy', {
          fields: { 'x-amz-copy-source': `/${scratch.connection.bucket}/${scratch.key('bounds/right')}` },
        }),
        'after expiry': await sendForm(
          scratch,
          await scratch.lateSigner.postForm(uploadOf(scratch.key('bounds/expired'))),
        ),
      })
    },
  },
  {
    id: 'post-policy-header',
    question: 'Does an added x-amz-copy-source header do nothing to a signed form?',
    ...aboutTickets,
    whenYes: 'forms have no copy hole',
    whenNo: 'no tickets by form: a client could copy other tenants’ bytes',
    /** The header that opens the hole of presigned PUTs must do nothing on a form. */
    async ask(scratch) {
      const headers = { 'x-amz-copy-source': await canary(scratch, 'post-header/canary') }
      const answer = await tryForm(scratch, 'post-header/target', { headers })
      const got = await scratch.get(scratch.key('post-header/target'))
      const harmless = refused(answer) || (accepted(answer) && got.text === body)
      const seen = `${described(answer)}, ${contents(got)}`
      if (got.text === secretBody) return { verdict: 'no', seen, exploited: true }
      return { verdict: harmless ? 'yes' : 'unknown', seen }
    },
  },
  {
    id: 'post-policy-digest',
    question: 'Does a signed form take the agreed bytes only, and the store report their SHA-256?',
    ...aboutTickets,
    whenYes: 'uploads by form need not be read again',
    whenNo: 'uploads by form are read and hashed before they are published',
    async ask(scratch) {
      const key = scratch.key('post-digest/right')
      const right = await tryForm(scratch, 'post-digest/right')
      const attempt = (name: string, forgery: Forgery) => tryForm(scratch, `post-digest/${name}`, forgery)
      const leftOut = { 'x-amz-checksum-algorithm': null, 'x-amz-checksum-sha256': null }
      const seen = judge(right, {
        'other bytes': await attempt('wrong', { body: otherBody }),
        'digest left out': await attempt('none', { body: otherBody, fields: leftOut }),
      })
      return alsoReported(scratch, key, seen)
    },
  },
  {
    id: 'presigned-put',
    question: 'Are presigned PUTs taken, and forged signatures refused?',
    ...aboutTickets,
    whenYes: 'presigned PUTs can be tickets: see the next rows',
    whenNo: 'no tickets by PUT',
    async ask(scratch) {
      const right = await tryPut(scratch, 'put/right')
      const forged = (url: string) =>
        url.replace(/X-Amz-Signature=[0-9a-f]{64}/, `X-Amz-Signature=${noSignature}`)
      return judge(right, { 'forged signature': await tryPut(scratch, 'put/forged', {}, forged) })
    },
  },
  {
    id: 'presigned-put-bounds',
    question: 'Is a presigned PUT bound to its key, size, type and time?',
    ...aboutTickets,
    whenYes: 'presigned PUTs can be tickets: see the next rows',
    whenNo: 'no tickets by PUT: a client could upload something other than agreed',
    async ask(scratch) {
      const right = await tryPut(scratch, 'put-bounds/right')
      const attempt = (name: string, forgery: Forgery) => tryPut(scratch, `put-bounds/${name}`, forgery)
      const expired = await scratch.lateSigner.put(uploadOf(scratch.key('put-bounds/expired')))
      scratch.key('put-bounds/elsewhere')
      return judge(right, {
        shorter: await attempt('shorter', { body: body.slice(1) }),
        longer: await attempt('longer', { body: `${body}!` }),
        'other type': await attempt('type', { headers: { 'content-type': 'text/html' } }),
        'other key': await tryPut(scratch, 'put-bounds/key', {}, (url) =>
          url.replace('put-bounds/key', 'put-bounds/elsewhere'),
        ),
        'after expiry': await sendPut(scratch, expired),
      })
    },
  },
  {
    id: 'presigned-put-copy',
    question: 'Is x-amz-copy-source refused where it was added to a presigned PUT (no copy hole)?',
    ...aboutTickets,
    whenYes: 'presigned PUTs have no copy hole',
    whenNo: 'no tickets by PUT: a client could copy other tenants’ bytes',
    /** Yes: the copy hole (CVE-2026-54330) is absent. Tried on the probe's own canary. */
    async ask(scratch) {
      const right = await tryPut(scratch, 'put-copy/right')
      const source = await canary(scratch, 'put-copy/canary')
      const headers = { 'x-amz-copy-source': source }
      const inQuery = (url: string) => `${url}&x-amz-copy-source=${encodeURIComponent(source)}`
      const seen = judge(right, {
        header: await tryPut(scratch, 'put-copy/header', { headers }),
        'in the query': await tryPut(scratch, 'put-copy/query', {}, inQuery),
      })
      const got = [
        await scratch.get(scratch.key('put-copy/header')),
        await scratch.get(scratch.key('put-copy/query')),
      ]
      if (!got.some(({ text }) => text === secretBody)) return seen
      return { verdict: 'no', seen: `${seen.seen}; another object's bytes were copied`, exploited: true }
    },
  },
  {
    id: 'presigned-put-headers',
    question: 'Are other x-amz-* headers refused that were added to a presigned PUT?',
    ...aboutTickets,
    whenYes: 'presigned PUTs can be tickets where forms cannot',
    whenNo: 'no tickets by PUT: a client could make an object public, for example',
    /** Yes: the holder of a presigned PUT can add no other `x-amz-*` header either. */
    async ask(scratch) {
      const right = await tryPut(scratch, 'put-headers/right')
      const acl = { 'x-amz-acl': 'public-read' }
      const meta = { 'x-amz-meta-forged': 'yes' }
      return judge(right, {
        'x-amz-acl': await tryPut(scratch, 'put-headers/acl', { headers: acl }),
        'x-amz-meta': await tryPut(scratch, 'put-headers/meta', { headers: meta }),
      })
    },
  },
  {
    id: 'presigned-put-digest',
    question: 'Does a presigned PUT take the agreed bytes only, and the store report their SHA-256?',
    ...aboutTickets,
    whenYes: 'uploads by presigned PUT need not be read again',
    whenNo: 'uploads by presigned PUT would be read and hashed before they are published',
    async ask(scratch) {
      const key = scratch.key('put-digest/right')
      const right = await tryPut(scratch, 'put-digest/right')
      const wrong = await tryPut(scratch, 'put-digest/wrong', { body: otherBody })
      return alsoReported(scratch, key, judge(right, { 'other bytes': wrong }))
    },
  },
  {
    id: 'signed-download',
    question: 'Is a signed download bound to its key, name and time, and answered as an attachment?',
    weight: 'limit',
    whenYes: 'downloads can go straight to the store',
    whenNo: 'signed downloads fail or can be altered: read through the service instead',
    whenUnknown: 'not known: they may fail',
    /** The attachment's name is signed: altered, it would be a page of the store's origin. */
    async ask(scratch) {
      const key = scratch.key('download/right')
      const secret = scratch.key('download/other')
      await scratch.put(key, body, { 'content-type': 'text/html' })
      await scratch.put(secret, secretBody)
      const contentDisposition = 'attachment; filename="probe.txt"'
      const download = { key, contentDisposition, expiresInSeconds }
      const url = await scratch.signer.get(download)
      const right = await scratch.client.fetch(url, {})
      const seen = judge(right, {
        'other disposition': await scratch.client.fetch(url.replace('attachment', 'inline'), {}),
        'other key': await scratch.client.fetch(url.replace('download/right', 'download/other'), {}),
        'after expiry': await scratch.client.fetch(await scratch.lateSigner.get(download), {}),
      })
      const attached = right.headers.get('content-disposition') === contentDisposition
      if (attached || !accepted(right)) return seen
      return { verdict: 'no', seen: `${seen.seen}; not answered as an attachment` }
    },
  },
]

const body = 'what the ticket is for'
const otherBody = 'forged, the same size!'
const secretBody = 'the bytes of another tenant'
const noSignature = '0'.repeat(64)
const contentType = 'text/plain'
const expiresInSeconds = 60

function uploadOf(key: string) {
  return { key, size: body.length, contentType, sha256: sha256Hex(body), expiresInSeconds }
}

/** What an attacker changes of a signed upload. */
interface Forgery {
  /** Added, or in place of the signed ones; `null` leaves one out. */
  fields?: Record<string, string | null>
  headers?: Record<string, string>
  body?: string
}

/** Signs a form for a key of its own, and sends it with this change. */
async function tryForm(scratch: Scratch, name: string, forgery: Forgery = {}): Promise<ProbeAnswer> {
  return sendForm(scratch, await scratch.signer.postForm(uploadOf(scratch.key(name))), forgery)
}

/** The same for a presigned PUT; `change` alters its URL. */
async function tryPut(
  scratch: Scratch,
  name: string,
  forgery: Forgery = {},
  change: (url: string) => string = (url) => url,
): Promise<ProbeAnswer> {
  const put = await scratch.signer.put(uploadOf(scratch.key(name)))
  return sendPut(scratch, { ...put, url: change(put.url) }, forgery)
}

function sendForm(scratch: Scratch, form: SignedForm, forgery: Forgery = {}): Promise<ProbeAnswer> {
  const data = new FormData()
  const fields: Record<string, string | null> = { ...form.fields, ...forgery.fields }
  for (const [name, value] of Object.entries(fields)) if (value !== null) data.append(name, value)
  data.append('file', new Blob([forgery.body ?? body]))
  return scratch.client.fetch(form.url, { method: 'POST', body: data, headers: forgery.headers ?? {} })
}

function sendPut(scratch: Scratch, put: SignedPut, forgery: Forgery = {}): Promise<ProbeAnswer> {
  // Content-Length is what the body makes it.
  const { 'content-length': _, ...headers } = put.headers
  return scratch.client.fetch(put.url, {
    method: 'PUT',
    body: forgery.body ?? body,
    headers: { ...headers, ...forgery.headers },
  })
}

/** The store must also report an enforced digest later, or the completion cannot rely on it. */
async function alsoReported(scratch: Scratch, key: string, enforced: Observation): Promise<Observation> {
  const headers = { 'x-amz-checksum-mode': 'ENABLED' }
  const head = await scratch.client.send({ method: 'HEAD', key, headers })
  const isReported = reportedSha256(head.headers) === Bun.SHA256.hash(body, 'hex')
  const seen = `${enforced.seen}; reported: ${isReported ? 'yes' : 'no'}`
  return { verdict: enforced.verdict === 'yes' && !isReported ? 'no' : enforced.verdict, seen }
}

/** @returns `/bucket/key` of an object that no ticket is for. */
async function canary(scratch: Scratch, name: string): Promise<string> {
  const key = scratch.key(name)
  await scratch.put(key, secretBody)
  return `/${scratch.connection.bucket}/${key}`
}

function contents({ text, status }: ProbeAnswer): string {
  if (status === 404) return 'nothing stored'
  if (text === body) return 'its own bytes stored'
  return text === secretBody ? "another object's bytes stored" : 'other bytes stored'
}
