import { noAnswer, type ProbeAnswer } from '../s3/probe-client.ts'
import { accepted, etagOf, judge, type Observation, type ProbeRow } from './finding.ts'
import { race, racersBodies } from './race.ts'
import type { Scratch } from './scratch.ts'

/** The sequence of `copyAbsent` (../s3/copy-absent.ts), with each of its two conditions not holding in turn. */
export const copyOnceRow: ProbeRow = {
  id: 'copy-once',
  question: 'Is a copy in parts refused when its source has changed or its target exists, also in a race?',
  weight: 'note',
  security: true,
  whenYes: 'uploads whose digest the store enforced are published by a copy inside the store',
  whenNo: 'the service streams completed uploads to their place, and hashes them on the way',
  async ask(scratch) {
    const source = scratch.key('copy/source')
    const stale = etagOf(await scratch.put(source, 'the bytes that were there before'))
    const current = etagOf(await scratch.put(source, meant))
    const target = scratch.key('copy/target')
    const right = await copied(scratch, { source, pin: current, target })
    const got = await scratch.get(target)
    const existing = scratch.key('copy/existing')
    await scratch.put(existing, first)
    const onExisting = await copied(scratch, { source, pin: current, target: existing })
    const kept = await scratch.get(existing)
    const elsewhere = scratch.key('copy/stale')
    const seen = judge(right, {
      'stale pin': await copied(scratch, { source, pin: stale, target: elsewhere }),
      'existing target': onExisting,
    })
    if (seen.verdict !== 'yes') return seen
    if (got.text !== meant) return { verdict: 'no', seen: `${seen.seen}; nothing copied` }
    if (kept.text !== first) return { verdict: 'no', seen: `${seen.seen}; the target was replaced` }
    let raced = seen
    for (let round = 1; round <= races && raced.verdict === 'yes'; round += 1) {
      raced = await raceOfCopies(scratch, round, seen.seen)
    }
    return raced
  },
}

/** On SeaweedFS 4.48 more than one racer wins in most races; on a busy machine one in several ends well by luck. */
const races = 10
const meant = 'the bytes that were meant'
const first = 'the bytes of the first writer'

interface Copy {
  source: string
  /** ETag that the source must have. */
  pin: string
  target: string
}

/** A copy whose part has been copied, unless that was refused; `join` publishes it if there is nothing yet. */
interface BegunCopy {
  part: ProbeAnswer
  join(): Promise<ProbeAnswer>
  abort(): Promise<ProbeAnswer>
}

async function beginCopy(scratch: Scratch, { source, pin, target }: Copy): Promise<BegunCopy> {
  const { client, connection } = scratch
  const { begun, uploadId = '' } = await scratch.beginUpload(target)
  const headers = {
    'x-amz-copy-source': `/${connection.bucket}/${source}`,
    'x-amz-copy-source-if-match': pin,
  }
  const query = { partNumber: '1', uploadId }
  const part = uploadId === '' ? begun : await client.send({ method: 'PUT', key: target, query, headers })
  const etag = /<ETag>(?:&quot;|&#34;|")?([^<&"]+)/.exec(part.text)?.[1] ?? ''
  const parts = `<Part><PartNumber>1</PartNumber><ETag>"${etag}"</ETag></Part>`
  const body = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`
  return {
    part,
    join: async () =>
      statusInBody(
        await client.send({
          ...{ method: 'POST', key: target, query: { uploadId }, body },
          headers: { 'if-none-match': '*' },
        }),
      ),
    abort: () => client.send({ method: 'DELETE', key: target, query: { uploadId } }),
  }
}

/** @returns the answer that decided: to the part if that was refused, otherwise to the last call. */
async function copied(scratch: Scratch, copy: Copy): Promise<ProbeAnswer> {
  const begun = await beginCopy(scratch, copy)
  const answer = accepted(begun.part) ? await begun.join() : begun.part
  if (!accepted(answer)) await begun.abort()
  return answer
}

async function raceOfCopies(scratch: Scratch, round: number, seen: string): Promise<Observation> {
  const target = scratch.key(`copy/race/${round}`)
  const begin = async (own: string) => {
    const source = scratch.key(`copy/${own}`)
    const pin = etagOf(await scratch.put(source, own))
    return [own, await beginCopy(scratch, { source, pin, target })] as const
  }
  const copies = new Map(await Promise.all(racersBodies.map(begin)))
  const join = async (own: string) => copies.get(own)?.join() ?? noAnswer
  const observation = await race(scratch, target, join, seen)
  await Promise.all([...copies.values()].map((copy) => copy.abort()))
  return observation
}

/** S3 may answer 200 before it knows how joining parts ends, and write the error into the body. */
function statusInBody(answer: ProbeAnswer): ProbeAnswer {
  return accepted(answer) && answer.code !== '' ? { ...answer, status: 500 } : answer
}
