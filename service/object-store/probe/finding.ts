import { withCause } from '../../wire/connection-causes.ts'
import { noAnswer, type ProbeAnswer } from '../s3/probe-client.ts'
import type { Scratch } from './scratch.ts'

/** `unknown`: not determined (no answer, 5xx). For everything that follows, unknown means no. */
export type Verdict = 'yes' | 'no' | 'unknown'

/** The answer to one question, as `doctor` shows it. */
export interface Finding {
  id: FindingId
  question: string
  verdict: Verdict
  /** What the store did, in the words of HTTP. */
  seen: string
  /** What follows for the service. */
  consequence: string
  /** An attack got through, on objects of the probe's own. */
  exploited?: true
  /** Without an `essential` the store is unfit; without a `limit` it is fit with limits. */
  weight: 'essential' | 'limit' | 'note'
}

/** Names of the rows, in the order in which they are shown. */
export type FindingId =
  | 'credentials'
  | 'bucket'
  | 'clock'
  | 'list'
  | 'list-after'
  | 'list-folders'
  | 'empty-object'
  | 'checksum-put'
  | 'conditional-put'
  | 'conditional-overwrite'
  | 'get-if-match'
  | 'copy-once'
  | 'delete-expires'
  | 'post-policy'
  | 'post-policy-bounds'
  | 'post-policy-header'
  | 'post-policy-digest'
  | 'presigned-put'
  | 'presigned-put-bounds'
  | 'presigned-put-copy'
  | 'presigned-put-headers'
  | 'presigned-put-digest'
  | 'signed-download'
  | 'multipart-abort'
  | 'lifecycle'
  | 'versioning'
  | 'object-lock'
  | 'cors'

/** A question to the store, and what follows from the answer. */
export interface ProbeRow extends Pick<Finding, 'id' | 'question' | 'weight'> {
  whenYes: string
  whenNo: string
  /** Where that differs from a no. */
  whenUnknown?: string
  /** Asked at every start and hourly, because the service behaves by it. The others are for `doctor` only. */
  security?: true
  ask(scratch: Scratch): Promise<Observation>
}

/** What a row saw. */
export type Observation = Pick<Finding, 'verdict' | 'seen' | 'exploited'>

/** True for a 2xx answer. */
export function accepted({ status }: ProbeAnswer): boolean {
  return status >= 200 && status < 300
}

/** Request Timeout, Too Early, Too Many Requests (RFC 9110, 8470, 6585): they say nothing about the request itself. */
const tryLater = [408, 425, 429]

/** True for a 4xx that is an answer to the request itself. */
export function refused({ status }: ProbeAnswer): boolean {
  return status >= 400 && status < 500 && !tryLater.includes(status)
}

/** Describes an answer: `200`, `403 AccessDenied`, `no answer (ECONNREFUSED: nothing listens on that port)`. */
export function described({ status, code }: ProbeAnswer): string {
  if (status === 0) return code === noAnswer.code ? 'no answer' : `no answer (${withCause(code)})`
  return code === '' ? String(status) : `${status} ${code}`
}

/**
 * Judges a property: it is there only if the right request succeeded and every wrong one got a 4xx. A store that
 * refuses everything has not shown it, nor has one that answers 5xx or is too busy to answer.
 *
 * @param wrong answers by what was wrong with their request.
 */
export function judge(right: ProbeAnswer, wrong: Readonly<Record<string, ProbeAnswer>>): Observation {
  const seen = [
    `right: ${described(right)}`,
    ...Object.entries(wrong).map(([what, answer]) => `${what}: ${described(answer)}`),
  ].join('; ')
  const answers = Object.values(wrong)
  if (answers.some(accepted)) return { verdict: 'no', seen }
  if (refused(right)) return { verdict: 'no', seen }
  const shown = accepted(right) && answers.length > 0 && answers.every(refused)
  return { verdict: shown ? 'yes' : 'unknown', seen }
}

/** Judges a question that one request answers. */
export function judgeOne(answer: ProbeAnswer): Observation {
  const verdict = accepted(answer) ? 'yes' : refused(answer) ? 'no' : 'unknown'
  return { verdict, seen: described(answer) }
}

/** Returns the ETag of an answer, without quotes: RGW 16.2 refuses every quoted one. */
export function etagOf(answer: ProbeAnswer): string {
  return (answer.headers.get('etag') ?? '').replaceAll('"', '')
}
