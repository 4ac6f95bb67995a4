import type { ProbeAnswer } from '../s3/probe-client.ts'

/** `unknown`: it could not be found out (no answer, 5xx). For everything that follows, unknown means no. */
export type Verdict = 'yes' | 'no' | 'unknown'

/** One question to the store, as `doctor` shows it. */
export interface Finding {
  id: FindingId
  question: string
  verdict: Verdict
  /** What the store did, in the words of HTTP. */
  seen: string
  /** What the service does about it. */
  consequence: string
  /** An attack got through, on objects of the probe's own. */
  exploited?: true
  /** What the answer weighs: without an essential the store is unfit, without a limit it is fit with limits. */
  weight: 'essential' | 'limit' | 'note'
}

/** The rows of design section 6, in the order in which they are shown. */
export type FindingId =
  | 'credentials'
  | 'bucket'
  | 'region'
  | 'clock'
  | 'list'
  | 'empty-object'
  | 'payload-hash'
  | 'content-md5'
  | 'checksum-put'
  | 'conditional-put'
  | 'conditional-overwrite'
  | 'get-if-match'
  | 'copy'
  | 'copy-pin'
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

export type Observation = Pick<Finding, 'verdict' | 'seen' | 'exploited'>

export function accepted({ status }: ProbeAnswer): boolean {
  return status >= 200 && status < 300
}

/** Request Timeout, Too Early, Too Many Requests: come back later, whatever was asked (RFC 9110, 8470, 6585). */
const comeBackLater = [408, 425, 429]

export function refused({ status }: ProbeAnswer): boolean {
  return status >= 400 && status < 500 && !comeBackLater.includes(status)
}

/** `200`, `403 AccessDenied`, `no answer`. */
export function described({ status, code }: ProbeAnswer): string {
  if (status === 0) return 'no answer'
  return code === '' ? String(status) : `${status} ${code}`
}

/**
 * A property is there only if the right request succeeded and every wrong one got a 4xx. A store that refuses
 * everything has not shown it, nor has one that answers 5xx or is too busy to answer.
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

/** For a question that one request answers. */
export function judgeOne(answer: ProbeAnswer): Observation {
  const verdict = accepted(answer) ? 'yes' : refused(answer) ? 'no' : 'unknown'
  return { verdict, seen: described(answer) }
}
