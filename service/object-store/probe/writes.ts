import { noAnswer, type ProbeAnswer } from '../s3/probe-client.ts'
import { accepted, described, judge, type Observation, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'

/** Does the store check what it is given, and can it decide between writers? */

const racers = 8
const body = 'the bytes that were meant'
const otherBody = 'other bytes, same length '

export const sha256Hex = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex')
export const sha256Base64 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('base64')
const md5Base64 = (text: string) => new Bun.CryptoHasher('md5').update(text).digest('base64')

export async function probePayloadHash(scratch: Scratch): Promise<Observation> {
  const right = await scratch.put(scratch.key('payload/right'), body)
  const key = scratch.key('payload/wrong')
  const payloadSha256 = sha256Hex(otherBody)
  const wrong = await scratch.client.send({ method: 'PUT', key, body, payloadSha256 })
  return judge(right, { 'other bytes': wrong })
}

export async function probeContentMd5(scratch: Scratch): Promise<Observation> {
  const right = await scratch.put(scratch.key('md5/right'), body, { 'content-md5': md5Base64(body) })
  const wrong = await scratch.put(scratch.key('md5/wrong'), body, { 'content-md5': md5Base64(otherBody) })
  return judge(right, { 'other bytes': wrong })
}

export async function probeChecksumPut(scratch: Scratch): Promise<Observation> {
  const header = 'x-amz-checksum-sha256'
  const right = await scratch.put(scratch.key('checksum/right'), body, { [header]: sha256Base64(body) })
  const wrong = await scratch.put(scratch.key('checksum/wrong'), body, { [header]: sha256Base64(otherBody) })
  return judge(right, { 'other bytes': wrong })
}

export async function probeConditionalPut(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('create/existing')
  const right = await scratch.put(key, body, { 'if-none-match': '*' })
  const wrong = await scratch.put(key, otherBody, { 'if-none-match': '*' })
  const seen = judge(right, { 'on an existing key': wrong })
  return seen.verdict === 'yes' ? race(scratch, 'create/race', { 'if-none-match': '*' }, seen.seen) : seen
}

export async function probeConditionalOverwrite(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('overwrite/existing')
  const first = await scratch.put(key, body)
  const etag = etagOf(first)
  const right = await scratch.put(key, otherBody, { 'if-match': etag })
  const wrong = await scratch.put(key, body, { 'if-match': etag })
  const seen = judge(right, { 'stale ETag': wrong })
  if (seen.verdict !== 'yes') return seen
  const raced = await scratch.put(scratch.key('overwrite/race'), 'start')
  return race(scratch, 'overwrite/race', { 'if-match': etagOf(raced) }, seen.seen)
}

/**
 * Many at once, of whom exactly one may win. RGW 16.2 answers 500 to losers of an If-Match: they ask once more, as
 * the service's client does, and must be refused then. At the end the winner's bytes must be there.
 */
async function race(
  scratch: Scratch,
  name: string,
  headers: Record<string, string>,
  seen: string,
): Promise<Observation> {
  const key = scratch.key(name)
  const attempt = (racer: number) => scratch.put(key, `racer ${racer}`, headers)
  const first = await Promise.all(Array.from({ length: racers }, (_, racer) => attempt(racer)))
  const undecided = [...first.keys()].filter((racer) => !isDecided(first[racer]))
  const again = new Map(
    await Promise.all(undecided.map(async (racer) => [racer, await attempt(racer)] as const)),
  )
  const answers = first.map((answer, racer) => again.get(racer) ?? answer)
  const winners = [...answers.keys()].filter((racer) => accepted(answers[racer] ?? noAnswer))
  const got = await scratch.get(key)
  const kept = winners.some((racer) => got.text === `racer ${racer}`)
  const asked = undecided.length === 0 ? '' : `, ${undecided.length} had to ask twice`
  return {
    verdict: raceVerdict(winners.length, kept, answers.every(isDecided) && accepted(got)),
    seen: `${seen}; ${racers} racers: ${winners.length} won${asked}${kept ? '' : ', other bytes stayed'}`,
  }
}

function raceVerdict(winners: number, kept: boolean, decided: boolean): Observation['verdict'] {
  if (winners > 1) return 'no'
  if (!decided || winners === 0) return 'unknown'
  return kept ? 'yes' : 'no'
}

function isDecided(answer: ProbeAnswer = noAnswer): boolean {
  return accepted(answer) || refused(answer)
}

export async function probeGetIfMatch(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('get-if-match')
  const etag = etagOf(await scratch.put(key, body))
  const right = await scratch.client.send({ method: 'GET', key, headers: { 'if-match': etag } })
  await scratch.put(key, otherBody)
  const wrong = await scratch.client.send({ method: 'GET', key, headers: { 'if-match': etag } })
  return judge(right, { 'stale ETag': wrong })
}

export async function probeCopy(scratch: Scratch): Promise<Observation> {
  const { answer, copied } = await copyOf(scratch, 'copy', {})
  const verdict = accepted(answer) && copied ? 'yes' : refused(answer) || accepted(answer) ? 'no' : 'unknown'
  return { verdict, seen: described(answer) }
}

export async function probeCopyPin(scratch: Scratch): Promise<Observation> {
  const right = await copyOf(scratch, 'pin/right', { pinned: 'current' })
  const wrong = await copyOf(scratch, 'pin/stale', { pinned: 'stale' })
  const seen = judge(right.answer, { 'stale pin': wrong.answer })
  return wrong.copied ? { ...seen, verdict: 'no' } : seen
}

async function copyOf(
  scratch: Scratch,
  name: string,
  { pinned }: { pinned?: 'current' | 'stale' },
): Promise<{ answer: ProbeAnswer; copied: boolean }> {
  const source = scratch.key(`${name}/source`)
  const target = scratch.key(`${name}/target`)
  const stale = etagOf(await scratch.put(source, body))
  const current = etagOf(await scratch.put(source, otherBody))
  const pin = pinned && { 'x-amz-copy-source-if-match': pinned === 'stale' ? stale : current }
  const headers = { 'x-amz-copy-source': `/${scratch.connection.bucket}/${source}`, ...pin }
  const answer = await scratch.client.send({ method: 'PUT', key: target, headers })
  const got = await scratch.get(target)
  return { answer, copied: got.text === otherBody }
}

/** Without quotes: RGW 16.2 refuses every quoted one. */
function etagOf(answer: ProbeAnswer): string {
  return (answer.headers.get('etag') ?? '').replaceAll('"', '')
}
