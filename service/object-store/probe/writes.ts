import { limits } from '../../limits.ts'
import { checksumOf, reportedSha256 } from '../s3/checksum.ts'
import type { ProbeAnswer } from '../s3/probe-client.ts'
import { copyOnceRow } from './copy-once.ts'
import { accepted, described, etagOf, judge, type Observation, type ProbeRow } from './finding.ts'
import { race } from './race.ts'
import type { Scratch } from './scratch.ts'

/** Does the store check what it receives, and can it decide between writers? */
export const writeRows: readonly ProbeRow[] = [
  {
    id: 'checksum-put',
    question:
      'Are bytes refused that do not match x-amz-checksum-sha256, also in parts, and is it reported to readers?',
    weight: 'note',
    security: true,
    whenYes: 'the store vouches for documents that are read; for uploads by ticket, see their digest rows',
    whenNo:
      'the service hashes every document that it reads, and every upload by ticket before it publishes it',
    async ask(scratch) {
      const key = scratch.key('checksum/right')
      const right = await scratch.put(key, body, checksumOf(sha256Of(body)))
      const wrong = await scratch.put(scratch.key('checksum/wrong'), body, checksumOf(sha256Of(otherBody)))
      const seen = judge(right, { 'other bytes': wrong })
      if (seen.verdict !== 'yes') return seen
      const parts = judge(right, {
        'other bytes in a part': await sentAsPart(scratch, checksumOf(sha256Of(otherBody))),
      })
      if (parts.verdict !== 'yes') return parts
      const headers = { 'x-amz-checksum-mode': 'ENABLED' }
      const read = await scratch.client.send({ method: 'GET', key, headers })
      const isReported = reportedSha256(read.headers) === sha256Of(body)
      if (accepted(read)) return isReported ? seen : { verdict: 'no', seen: `${seen.seen}; not reported` }
      return { verdict: 'unknown', seen: `${seen.seen}; read: ${described(read)}` }
    },
  },
  {
    id: 'conditional-put',
    question: 'Does If-None-Match: * keep an existing key, also in a race?',
    weight: 'essential',
    security: true,
    whenYes: 'the first writer of a version wins',
    whenNo: 'replicas would overwrite each other’s documents: the service ends, unless SINGLE_REPLICA is set',
    whenUnknown: 'not known: replicas might overwrite each other’s documents',
    async ask(scratch) {
      const key = scratch.key('create/existing')
      const right = await scratch.put(key, body, { 'if-none-match': '*' })
      const wrong = await scratch.put(key, otherBody, { 'if-none-match': '*' })
      const seen = judgeConditions(right, { 'on an existing key': wrong })
      if (seen.verdict !== 'yes') return seen
      const raced = scratch.key('create/race')
      const attempt = (own: string) => scratch.put(raced, own, { 'if-none-match': '*' })
      return race(scratch, raced, attempt, seen.seen)
    },
  },
  {
    id: 'conditional-overwrite',
    question: 'Is a put with If-Match compare-and-set, also in a race?',
    weight: 'essential',
    security: true,
    whenYes: 'tags and what is latest move in one order for all replicas',
    whenNo: 'replicas would overwrite each other’s tags: the service ends, unless SINGLE_REPLICA is set',
    whenUnknown: 'not known: replicas might overwrite each other’s tags',
    async ask(scratch) {
      const key = scratch.key('overwrite/existing')
      const first = await scratch.put(key, body)
      const etag = etagOf(first)
      const right = await scratch.put(key, otherBody, { 'if-match': etag })
      const wrong = await scratch.put(key, body, { 'if-match': etag })
      const seen = judgeConditions(right, { 'stale ETag': wrong })
      if (seen.verdict !== 'yes') return seen
      const raced = scratch.key('overwrite/race')
      const start = etagOf(await scratch.put(raced, 'start'))
      const attempt = (own: string) => scratch.put(raced, own, { 'if-match': start })
      return race(scratch, raced, attempt, seen.seen)
    },
  },
  {
    id: 'get-if-match',
    question: 'Is a read with a stale If-Match refused?',
    weight: 'limit',
    security: true,
    whenYes: 'staged bytes are pinned while they are published',
    whenNo: 'the hash alone protects a publication, which is enough; a changed upload is noticed later',
    async ask(scratch) {
      const key = scratch.key('get-if-match')
      const etag = etagOf(await scratch.put(key, body))
      const right = await scratch.client.send({ method: 'GET', key, headers: { 'if-match': etag } })
      await scratch.put(key, otherBody)
      const wrong = await scratch.client.send({ method: 'GET', key, headers: { 'if-match': etag } })
      return judge(right, { 'stale ETag': wrong })
    },
  },
  copyOnceRow,
  {
    id: 'delete-expires',
    question: 'Is a presigned DELETE refused after its expiry, by the clock that the store tells?',
    weight: 'limit',
    whenYes: 'a delete that arrives late removes nothing',
    whenNo: 'a delete that arrives late may remove a document that was uploaded again',
    whenUnknown: 'not known: a delete that arrives late may remove a document that was uploaded again',
    async ask(scratch) {
      const key = scratch.key('delete')
      await scratch.put(key, body)
      const head = await scratch.client.send({ method: 'HEAD', key: null })
      const told = Date.parse(head.headers.get('date') ?? '')
      if (Number.isNaN(told)) return { verdict: 'unknown', seen: `${described(head)}, no Date` }
      const signedAt = new Date(told - lifetimeSeconds * 1000)
      const attempt = (expiresInSeconds: number) =>
        scratch.client.send({ method: 'DELETE', key, presign: { signedAt, expiresInSeconds } })
      const late = await attempt(lifetimeSeconds - limits.storeExpirySkewSecondsMax)
      const kept = await scratch.get(key)
      const seen = judge(await attempt(2 * lifetimeSeconds), {
        [`${limits.storeExpirySkewSecondsMax} s after expiry`]: late,
      })
      if (accepted(kept) || seen.verdict !== 'yes') return seen
      return {
        verdict: kept.status === 404 ? 'no' : 'unknown',
        seen: `${seen.seen}; then ${described(kept)}`,
      }
    },
  },
]

/** Sends `body` as the only part of an upload that is given up. */
async function sentAsPart(scratch: Scratch, headers: Record<string, string>): Promise<ProbeAnswer> {
  const key = scratch.key('checksum/parts')
  const { begun, uploadId } = await scratch.beginUpload(key, { 'x-amz-checksum-algorithm': 'SHA256' })
  if (uploadId === undefined) return begun
  const query = { partNumber: '1', uploadId }
  const part = await scratch.client.send({ method: 'PUT', key, query, headers, body })
  await scratch.client.send({ method: 'DELETE', key, query: { uploadId } })
  return part
}

/** How long ago the presigned DELETE was signed that is too late; another lives for as long again. */
const lifetimeSeconds = 30
const body = 'the bytes that were meant'
const otherBody = 'other bytes, same length '

/** The service ends where there are no conditions, so a key that may not write must not look like that. */
function judgeConditions(right: ProbeAnswer, wrong: Readonly<Record<string, ProbeAnswer>>): Observation {
  const observation = judge(right, wrong)
  return [401, 403].includes(right.status) ? { ...observation, verdict: 'unknown' } : observation
}

/** Returns the SHA-256 of a text, hexadecimal. */
export const sha256Hex = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex')
const sha256Of = (text: string) => Bun.SHA256.hash(text, 'hex')
