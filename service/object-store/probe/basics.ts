import { accepted, described, judge, judgeOne, type ProbeRow, refused } from './finding.ts'
import { listingRows } from './listings.ts'

/** S3 refuses signatures that are 15 minutes off; long before that, signed URLs lose a part of their lifetime. */
const skewSecondsMax = 60

/** Can the store be used at all? */
export const basicRows: readonly ProbeRow[] = [
  {
    id: 'credentials',
    question: 'Are our keys accepted, and a wrong secret refused?',
    weight: 'essential',
    whenYes: 'the service can sign in',
    whenNo:
      'the service cannot work, or anyone can read and write: check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY',
    whenUnknown: 'the service cannot work while the store does not answer: check S3_ENDPOINT',
    async ask({ client }) {
      const right = await client.send({
        method: 'GET',
        key: null,
        query: { 'list-type': '2', 'max-keys': '1' },
      })
      const secretAccessKey = crypto.randomUUID()
      const wrong = await client.send({
        method: 'GET',
        key: null,
        query: { 'max-keys': '1' },
        as: { secretAccessKey },
      })
      const seen = judge(right, { 'wrong secret': wrong })
      // The signature was right; an absent bucket is the subject of the next row.
      return right.code === 'NoSuchBucket' && refused(wrong) ? { ...seen, verdict: 'yes' } : seen
    },
  },
  {
    id: 'bucket',
    question: 'Is the bucket there, and an absent one reported?',
    weight: 'essential',
    security: true,
    whenYes: 'documents have a place',
    whenNo: 'the service cannot work: create S3_BUCKET_DOCS, or let these keys use it',
    whenUnknown: 'the service cannot work while the store does not answer',
    async ask({ client }) {
      const right = await client.send({ method: 'HEAD', key: null })
      const wrong = await client.send({ method: 'HEAD', key: null, bucket: `absent-${crypto.randomUUID()}` })
      return judge(right, { 'absent bucket': wrong })
    },
  },
  {
    id: 'clock',
    question: 'Do our clock and the store’s agree within a minute?',
    weight: 'limit',
    whenYes: 'signed URLs live as long as they should',
    whenNo: 'signed URLs live shorter or longer, and from 15 minutes on nothing works: set the clocks',
    whenUnknown: 'not known: signed URLs may live shorter or longer',
    async ask({ client }) {
      const answer = await client.send({ method: 'HEAD', key: null })
      const date = Date.parse(answer.headers.get('date') ?? '')
      if (Number.isNaN(date)) return { verdict: 'unknown', seen: `${described(answer)}, no Date` }
      const skewSeconds = Math.round((date - Date.now()) / 1000)
      return {
        verdict: Math.abs(skewSeconds) <= skewSecondsMax ? 'yes' : 'no',
        seen: `the store is ${Math.abs(skewSeconds)} s ${skewSeconds < 0 ? 'behind' : 'ahead'}`,
      }
    },
  },
  ...listingRows,
  {
    id: 'empty-object',
    question: 'Can an object be empty?',
    weight: 'limit',
    whenYes: 'empty documents can be stored',
    whenNo: 'uploads of empty documents fail',
    whenUnknown: 'not known',
    async ask(scratch) {
      const key = scratch.key('empty')
      const put = await scratch.put(key, '')
      const got = await scratch.get(key)
      if (accepted(put) && accepted(got) && got.text === '')
        return { verdict: 'yes', seen: 'stored and read' }
      return {
        verdict: accepted(put) ? 'no' : judgeOne(put).verdict,
        seen: `put ${described(put)}, get ${described(got)}`,
      }
    },
  },
]
