import { accepted, described, judge, type Observation, refused } from './probe-finding.ts'
import type { Scratch } from './probe-scratch.ts'
import { sha256Hex } from './probe-writes.ts'
import type { ProbeAnswer } from './s3-probe-client.ts'
import type { SignedForm, SignedPut } from './transfer-signer.ts'

/**
 * What can be done with a signed upload beyond what it was signed for? The attacks are those that were seen
 * to work on real stores, tried on objects of the probe's own (design, section 5; CVE-2026-54330).
 */

const body = 'what the ticket is for'
const otherBody = 'forged, the same size!'
const secretBody = 'bytes of somebody else'
const contentType = 'text/plain'
const expiresInSeconds = 60

function formFor(scratch: Scratch, name: string, seconds = expiresInSeconds): Promise<SignedForm> {
  return scratch.signer.postForm({ ...uploadOf(scratch.key(name)), expiresInSeconds: seconds })
}

function putFor(scratch: Scratch, name: string): Promise<SignedPut> {
  return scratch.signer.put(uploadOf(scratch.key(name)))
}

function uploadOf(key: string) {
  return { key, size: body.length, contentType, sha256: sha256Hex(body), expiresInSeconds }
}

interface Forgery {
  fields?: Record<string, string>
  headers?: Record<string, string>
  body?: string
}

function sendForm(scratch: Scratch, form: SignedForm, forgery: Forgery = {}): Promise<ProbeAnswer> {
  const data = new FormData()
  for (const [name, value] of Object.entries({ ...form.fields, ...forgery.fields })) data.append(name, value)
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
  const form = await formFor(scratch, 'bounds/expired', 1)
  await Bun.sleep(2100)
  return sendForm(scratch, form)
}

/** The header that opens the hole of presigned PUTs must do nothing on a form. */
export async function probePostPolicyHeader(scratch: Scratch): Promise<Observation> {
  const header = { 'x-amz-copy-source': await canary(scratch, 'post-header/canary') }
  const form = await formFor(scratch, 'post-header/target')
  const answer = await sendForm(scratch, form, { headers: header })
  const got = await scratch.get(scratch.key('post-header/target'))
  const harmless = refused(answer) || (accepted(answer) && got.text === body)
  const verdict = got.text === secretBody ? 'no' : harmless ? 'yes' : 'unknown'
  return { verdict, seen: `${described(answer)}, ${contents(got)}` }
}

export async function probePostPolicyDigest(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('post-digest/right')
  const right = await sendForm(scratch, await formFor(scratch, 'post-digest/right'))
  const wrong = await sendForm(scratch, await formFor(scratch, 'post-digest/wrong'), { body: otherBody })
  return alsoReported(scratch, key, judge(right, { 'other bytes': wrong }))
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
  return judge(right, {
    shorter: await attempt('shorter', { body: body.slice(1) }),
    longer: await attempt('longer', { body: `${body}!` }),
    'other type': await attempt('type', { headers: { 'content-type': 'text/html' } }),
  })
}

/** Yes: whoever holds a presigned PUT can add no `x-amz-*` header that was not signed. */
export async function probePresignedPutHeaders(scratch: Scratch): Promise<Observation> {
  const right = await sendPut(scratch, await putFor(scratch, 'put-headers/right'))
  const source = await canary(scratch, 'put-headers/canary')
  const attempt = async (name: string, headers: Record<string, string>) =>
    sendPut(scratch, await putFor(scratch, `put-headers/${name}`), { headers })
  const copy = await attempt('copy', { 'x-amz-copy-source': source })
  const got = await scratch.get(scratch.key('put-headers/copy'))
  const seen = judge(right, {
    'x-amz-copy-source': copy,
    'x-amz-acl': await attempt('acl', { 'x-amz-acl': 'public-read' }),
    'x-amz-meta': await attempt('meta', { 'x-amz-meta-forged': 'yes' }),
  })
  if (got.text !== secretBody) return seen
  return { verdict: 'no', seen: `${seen.seen}; THE COPY HOLE: another object's bytes were copied` }
}

export async function probePresignedPutDigest(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('put-digest/right')
  const right = await sendPut(scratch, await putFor(scratch, 'put-digest/right'))
  const wrong = await sendPut(scratch, await putFor(scratch, 'put-digest/wrong'), { body: otherBody })
  return alsoReported(scratch, key, judge(right, { 'other bytes': wrong }))
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
