import { noAnswer, type ProbeAnswer } from '../s3/probe-client.ts'
import { accepted, judge, type Observation, type ProbeRow, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'

/** Does the store check what it receives, and can it decide between writers? */
export const writeRows: readonly ProbeRow[] = [
  {
    id: 'checksum-put',
    question: 'Are bytes refused that do not match x-amz-checksum-sha256?',
    weight: 'note',
    whenYes: 'the store may vouch for uploads by ticket: see their digest rows',
    whenNo: 'the service reads and hashes every upload by ticket before it publishes it',
    async ask(scratch) {
      const header = 'x-amz-checksum-sha256'
      const right = await scratch.put(scratch.key('checksum/right'), body, { [header]: sha256Base64(body) })
      const wrong = await scratch.put(scratch.key('checksum/wrong'), body, {
        [header]: sha256Base64(otherBody),
      })
      return judge(right, { 'other bytes': wrong })
    },
  },
  {
    id: 'conditional-put',
    question: 'Does If-None-Match: * keep an existing key, also in a race?',
    weight: 'limit',
    security: true,
    whenYes: 'the first writer of a version wins',
    whenNo: 'racing uploads of the same bytes may replace each other’s metadata; the bytes stay right',
    async ask(scratch) {
      const key = scratch.key('create/existing')
      const right = await scratch.put(key, body, { 'if-none-match': '*' })
      const wrong = await scratch.put(key, otherBody, { 'if-none-match': '*' })
      const seen = judge(right, { 'on an existing key': wrong })
      return seen.verdict === 'yes' ? race(scratch, 'create/race', { 'if-none-match': '*' }, seen.seen) : seen
    },
  },
  {
    id: 'conditional-overwrite',
    question: 'Is a put with If-Match compare-and-set, also in a race?',
    weight: 'limit',
    security: true,
    whenYes: 'tags can be moved with If-Match',
    whenNo: 'moving a tag with If-Match is answered 501; without it the last move wins',
    async ask(scratch) {
      const key = scratch.key('overwrite/existing')
      const first = await scratch.put(key, body)
      const etag = etagOf(first)
      const right = await scratch.put(key, otherBody, { 'if-match': etag })
      const wrong = await scratch.put(key, body, { 'if-match': etag })
      const seen = judge(right, { 'stale ETag': wrong })
      if (seen.verdict !== 'yes') return seen
      const raced = await scratch.put(scratch.key('overwrite/race'), 'start')
      return race(scratch, 'overwrite/race', { 'if-match': etagOf(raced) }, seen.seen)
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
  {
    id: 'copy-pin',
    question: 'Is a copy refused when its source is not what x-amz-copy-source-if-match says?',
    weight: 'note',
    security: true,
    whenYes: 'uploads whose digest the store enforced are published by a copy inside the store',
    whenNo: 'the service streams completed uploads to their place, and hashes them on the way',
    async ask(scratch) {
      const right = await copyOf(scratch, 'pin/right', 'current')
      const wrong = await copyOf(scratch, 'pin/stale', 'stale')
      const seen = judge(right.answer, { 'stale pin': wrong.answer })
      if (wrong.copied) return { ...seen, verdict: 'no' }
      if (right.copied || !accepted(right.answer)) return seen
      return { verdict: 'no', seen: `${seen.seen}; nothing copied` }
    },
  },
]

const racers = 8
const body = 'the bytes that were meant'
const otherBody = 'other bytes, same length '

/** Returns the SHA-256 of a text, hexadecimal. */
export const sha256Hex = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex')
const sha256Base64 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('base64')

/**
 * Sends many puts at once, of which exactly one may win. RGW 16.2 answers 500 to losers of an If-Match: they ask once
 * more, as the service's client does, and must be refused then. At the end the winner's bytes must be stored.
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

async function copyOf(
  scratch: Scratch,
  name: string,
  pinned: 'current' | 'stale',
): Promise<{ answer: ProbeAnswer; copied: boolean }> {
  const source = scratch.key(`${name}/source`)
  const target = scratch.key(`${name}/target`)
  const stale = etagOf(await scratch.put(source, body))
  const current = etagOf(await scratch.put(source, otherBody))
  const headers = {
    'x-amz-copy-source': `/${scratch.connection.bucket}/${source}`,
    'x-amz-copy-source-if-match': pinned === 'stale' ? stale : current,
  }
  const answer = await scratch.client.send({ method: 'PUT', key: target, headers })
  const got = await scratch.get(target)
  return { answer, copied: got.text === otherBody }
}

/** Without quotes: RGW 16.2 refuses every quoted one. */
function etagOf(answer: ProbeAnswer): string {
  return (answer.headers.get('etag') ?? '').replaceAll('"', '')
}
