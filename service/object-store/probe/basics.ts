import { accepted, described, judge, judgeOne, type Observation, refused } from './finding.ts'
import type { Scratch } from './scratch.ts'

/** Can the store be used at all? */

export async function probeCredentials({ client }: Scratch): Promise<Observation> {
  const right = await client.send({ method: 'GET', key: null, query: { 'list-type': '2', 'max-keys': '1' } })
  const secretAccessKey = crypto.randomUUID()
  const wrong = await client.send({
    method: 'GET',
    key: null,
    query: { 'max-keys': '1' },
    as: { secretAccessKey },
  })
  const seen = judge(right, { 'wrong secret': wrong })
  // The signature was good; the absent bucket is the next row's.
  return right.code === 'NoSuchBucket' && refused(wrong) ? { ...seen, verdict: 'yes' } : seen
}

export async function probeBucket({ client }: Scratch): Promise<Observation> {
  const right = await client.send({ method: 'HEAD', key: null })
  const wrong = await client.send({ method: 'HEAD', key: null, bucket: `absent-${crypto.randomUUID()}` })
  return judge(right, { 'absent bucket': wrong })
}

/** Yes: the store insists on its region, so a wrong S3_REGION would show at once. */
export async function probeRegion({ client }: Scratch): Promise<Observation> {
  const right = await client.send({ method: 'HEAD', key: null })
  const wrong = await client.send({ method: 'HEAD', key: null, as: { region: 'xx-nowhere-1' } })
  return judge(right, { 'other region': wrong })
}

/** S3 refuses signatures that are 15 minutes off; well before that, signed URLs lose a part of their life. */
const skewSecondsMax = 60

export async function probeClock({ client }: Scratch): Promise<Observation> {
  const answer = await client.send({ method: 'HEAD', key: null })
  const date = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isNaN(date)) return { verdict: 'unknown', seen: `${described(answer)}, no Date` }
  const skewSeconds = Math.round((date - Date.now()) / 1000)
  return {
    verdict: Math.abs(skewSeconds) <= skewSecondsMax ? 'yes' : 'no',
    seen: `the store is ${Math.abs(skewSeconds)} s ${skewSeconds < 0 ? 'behind' : 'ahead'}`,
  }
}

export async function probeList(scratch: Scratch): Promise<Observation> {
  const keys = [scratch.key('list/a'), scratch.key('list/b')]
  for (const key of keys) await scratch.put(key, key)
  const query = { 'list-type': '2', prefix: `${scratch.scratchPrefix}list/`, 'start-after': keys[0] ?? '' }
  const answer = await scratch.client.send({ method: 'GET', key: null, query })
  if (!accepted(answer)) return judgeOne(answer)
  const right =
    answer.text.includes(`<Key>${keys[1]}</Key>`) && !answer.text.includes(`<Key>${keys[0]}</Key>`)
  return {
    verdict: right ? 'yes' : 'no',
    seen: right ? 'the key after start-after' : 'other keys than asked for',
  }
}

export async function probeEmptyObject(scratch: Scratch): Promise<Observation> {
  const key = scratch.key('empty')
  const put = await scratch.put(key, '')
  const got = await scratch.get(key)
  if (accepted(put) && accepted(got) && got.text === '') return { verdict: 'yes', seen: 'stored and read' }
  return {
    verdict: accepted(put) ? 'no' : judgeOne(put).verdict,
    seen: `put ${described(put)}, get ${described(got)}`,
  }
}
