import type { ProbeAnswer } from '../s3/probe-client.ts'
import type { SignedForm, SignedPut } from '../transfer-signer.ts'
import { accepted, described, judge, type Observation, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'
import { sha256Hex } from './writes.ts'

/**
 * What can be done with a signed upload beyond what it was signed for? The attacks are those that were seen
 * to work on real stores, tried on objects of the probe's own (ARCHITECTURE.md, "Upload tickets"; CVE-2026-54330).
 */

const body = 'what the ticket is for'
const otherBody = 'forged, the same size!'
const secretBody = 'bytes of somebody else'
const contentType = 'text/plain'
const expiresInSeconds = 60

function formFor(scratch: Scratch, name: string): Promise<SignedForm> {
  return scratch.signer.postForm(uploadOf(scratch.key(name)))
}

function putFor(scratch: Scratch, name: string): Promise<SignedPut> {
  return scratch.signer.put(uploadOf(scratch.key(name)))
}

function uploadOf(key: string) {
  return { key, size: body.length, contentType, sha256: sha256Hex(body), expiresInSeconds }
}

interface Forgery {
  /** Added or put in place of the signed ones; `null` leaves one out. */
  fields?: Record<string, string | null>
  headers?: Record<string, string>
  body?: string
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

export async function probePostPolicy(scratch: Scratch): Promise<Observation> {
  const right = await sendForm(scratch, await formFor(scratch, 'post/right'))
  const form = await formFor(scratch, 'post/forged')
  const wrong = await sendForm(scratch, form, { fields: { 'X-Amz-Signature': '0'.repeat(64) } })
  return judge(right, { 'forged signature': wrong })
}

export async function probePostPolicyBounds(scratch: Scratch): Promise<Observation> {
  const right = await sendForm(scratch, await formFor(scratch, 'bounds/right'))
  const attempt = async (name: string, forgery: Forgery) =>
    sendForm(scratch, await formFor(scratch, `bounds/${name}`), forgery)
  return judge(right, {
    shorter: await attempt('shorter', { body: body.slice(1) }),
    longer: await attempt('longer', { body: `${body}!` }),
    'other key': await attempt('key', { fields: { key: scratch.key('bounds/elsewhere') } }),
    'other type': await attempt('type', { fields: { 'Content-Type': 'text/html' } }),
    'field acl': await attempt('acl', { fields: { acl: 'public-read' } }),
    'field copy-source': await attempt('copy', {
      fields: { 'x-amz-copy-source': `/${scratch.connection.bucket}/${scratch.key('bounds/right')}` },
    }),
    'after expiry': await expiredForm(scratch),
  })
}

async function expiredForm(scratch: Scratch): Promise<ProbeAnswer> {
  return sendForm(scratch, await scratch.lateSigner.postForm(uploadOf(scratch.key('bounds/expired'))))
}

/** The header that opens the hole of presigned PUTs must do nothing on a form. */
export async function probePostPolicyHeader(scratch: Scratch): Promise<Observation> {
  const header = { 'x-amz-copy-source': await canary(scratch, 'post-header/canary') }
  const form = await formFor(scratch, 'post-header/target')
  const answer = await sendForm(scratch, form, { headers: header })
  const got = await scratch.get(scratch.key('post-header/target'))
  const harmless = refused(answer) || (accepted(answer) && got.text === body)
  const seen = `${described(answer)}, ${contents(got)}`
  if (got.text === secretBody) return { verdict: 'no', seen, exploited: true }
  return { verdict: harmless ? 'yes' : 'unknown', seen }
}

export async function probePostPolicyDigest(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('post-digest/right')
  const right = await sendForm(scratch, await formFor(scratch, 'post-digest/right'))
  const attempt = async (name: string, forgery: Forgery) =>
    sendForm(scratch, await formFor(scratch, `post-digest/${name}`), forgery)
  const leftOut = { 'x-amz-checksum-algorithm': null, 'x-amz-checksum-sha256': null }
  const seen = judge(right, {
    'other bytes': await attempt('wrong', { body: otherBody }),
    'digest left out': await attempt('none', { body: otherBody, fields: leftOut }),
  })
  return alsoReported(scratch, key, seen)
}

export async function probePresignedPut(scratch: Scratch): Promise<Observation> {
  const right = await sendPut(scratch, await putFor(scratch, 'put/right'))
  const put = await putFor(scratch, 'put/forged')
  const forged = {
    ...put,
    url: put.url.replace(/X-Amz-Signature=[0-9a-f]{64}/, `X-Amz-Signature=${'0'.repeat(64)}`),
  }
  return judge(right, { 'forged signature': await sendPut(scratch, forged) })
}

export async function probePresignedPutBounds(scratch: Scratch): Promise<Observation> {
  const right = await sendPut(scratch, await putFor(scratch, 'put-bounds/right'))
  const attempt = async (name: string, forgery: Forgery) =>
    sendPut(scratch, await putFor(scratch, `put-bounds/${name}`), forgery)
  const other = await putFor(scratch, 'put-bounds/key')
  const expired = await scratch.lateSigner.put(uploadOf(scratch.key('put-bounds/expired')))
  scratch.key('put-bounds/elsewhere')
  return judge(right, {
    shorter: await attempt('shorter', { body: body.slice(1) }),
    longer: await attempt('longer', { body: `${body}!` }),
    'other type': await attempt('type', { headers: { 'content-type': 'text/html' } }),
    'other key': await sendPut(scratch, {
      ...other,
      url: other.url.replace('put-bounds/key', 'put-bounds/elsewhere'),
    }),
    'after expiry': await sendPut(scratch, expired),
  })
}

/** Yes: the copy hole (CVE-2026-54330) is absent. Tried on the probe's own canary. */
export async function probePresignedPutCopy(scratch: Scratch): Promise<Observation> {
  const right = await sendPut(scratch, await putFor(scratch, 'put-copy/right'))
  const source = await canary(scratch, 'put-copy/canary')
  const byHeader = await putFor(scratch, 'put-copy/header')
  const inQuery = await putFor(scratch, 'put-copy/query')
  const seen = judge(right, {
    header: await sendPut(scratch, byHeader, { headers: { 'x-amz-copy-source': source } }),
    'in the query': await sendPut(scratch, {
      ...inQuery,
      url: `${inQuery.url}&x-amz-copy-source=${encodeURIComponent(source)}`,
    }),
  })
  const got = [
    await scratch.get(scratch.key('put-copy/header')),
    await scratch.get(scratch.key('put-copy/query')),
  ]
  if (!got.some(({ text }) => text === secretBody)) return seen
  return { verdict: 'no', seen: `${seen.seen}; another object's bytes were copied`, exploited: true }
}

/** Yes: whoever holds a presigned PUT can add no other `x-amz-*` header either. */
export async function probePresignedPutHeaders(scratch: Scratch): Promise<Observation> {
  const right = await sendPut(scratch, await putFor(scratch, 'put-headers/right'))
  const attempt = async (name: string, headers: Record<string, string>) =>
    sendPut(scratch, await putFor(scratch, `put-headers/${name}`), { headers })
  return judge(right, {
    'x-amz-acl': await attempt('acl', { 'x-amz-acl': 'public-read' }),
    'x-amz-meta': await attempt('meta', { 'x-amz-meta-forged': 'yes' }),
  })
}

export async function probePresignedPutDigest(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('put-digest/right')
  const right = await sendPut(scratch, await putFor(scratch, 'put-digest/right'))
  const wrong = await sendPut(scratch, await putFor(scratch, 'put-digest/wrong'), { body: otherBody })
  return alsoReported(scratch, key, judge(right, { 'other bytes': wrong }))
}

/** The attachment's name is signed: altered, it would be a page of the store's origin. */
export async function probeSignedDownload(scratch: Scratch): Promise<Observation> {
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
}

/** A digest that was enforced must also be told later, or the completion cannot rest on it. */
async function alsoReported(scratch: Scratch, key: string, enforced: Observation): Promise<Observation> {
  const headers = { 'x-amz-checksum-mode': 'ENABLED' }
  const head = await scratch.client.send({ method: 'HEAD', key, headers })
  const reported = head.headers.get('x-amz-checksum-sha256')
  const right = new Bun.CryptoHasher('sha256').update(body).digest('base64')
  const seen = `${enforced.seen}; reported: ${reported === right ? 'yes' : 'no'}`
  return { verdict: enforced.verdict === 'yes' && reported !== right ? 'no' : enforced.verdict, seen }
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
