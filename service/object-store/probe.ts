import {
  probeBucket,
  probeClock,
  probeCredentials,
  probeEmptyObject,
  probeList,
  probeRegion,
} from './probe-basics.ts'
import {
  probeCors,
  probeLifecycle,
  probeMultipartAbort,
  probeObjectLock,
  probeVersioning,
} from './probe-bucket.ts'
import type { Finding, FindingId, Observation, Verdict } from './probe-finding.ts'
import { createScratch, type Scratch } from './probe-scratch.ts'
import {
  probePostPolicy,
  probePostPolicyBounds,
  probePostPolicyDigest,
  probePostPolicyHeader,
  probePresignedPut,
  probePresignedPutBounds,
  probePresignedPutDigest,
  probePresignedPutHeaders,
} from './probe-transfers.ts'
import {
  probeChecksumPut,
  probeConditionalOverwrite,
  probeConditionalPut,
  probeContentMd5,
  probeCopy,
  probeCopyPin,
  probeGetIfMatch,
  probePayloadHash,
} from './probe-writes.ts'
import type { S3Connection } from './s3-connection.ts'
import type { StoreCapabilities } from './store-capabilities.ts'

interface Row {
  id: FindingId
  question: string
  weight: Finding['weight']
  /** What the service does if the answer is yes, and if it is no or unknown. */
  whenYes: string
  whenNo: string
  /** Bears on safety: asked at every start and hourly, not by `doctor` alone. */
  security?: true
  ask(scratch: Scratch): Promise<Observation>
}

const rows: readonly Row[] = [
  {
    id: 'credentials',
    question: 'Are our credentials accepted, and wrong ones refused?',
    weight: 'essential',
    whenYes: 'works',
    whenNo: 'nothing works',
    ask: probeCredentials,
  },
  {
    id: 'bucket',
    question: 'Is the bucket there?',
    weight: 'essential',
    whenYes: 'works',
    whenNo: 'nothing works',
    ask: probeBucket,
  },
  {
    id: 'region',
    question: 'Does the store insist on its region?',
    weight: 'note',
    whenYes: 'a wrong S3_REGION shows at once',
    whenNo: 'S3_REGION is not checked',
    ask: probeRegion,
  },
  {
    id: 'clock',
    question: 'Do the clocks agree?',
    weight: 'limit',
    whenYes: 'signatures live as long as they should',
    whenNo: 'signed URLs live shorter or longer; set the clocks',
    ask: probeClock,
  },
  {
    id: 'list',
    question: 'Does a listing continue after a key?',
    weight: 'essential',
    whenYes: 'lists and their pages work',
    whenNo: 'lists are wrong',
    ask: probeList,
  },
  {
    id: 'empty-object',
    question: 'Can an object be empty?',
    weight: 'limit',
    whenYes: 'empty documents work',
    whenNo: 'empty documents fail',
    ask: probeEmptyObject,
  },
  {
    id: 'payload-hash',
    question: 'Are bytes refused that do not match the signed x-amz-content-sha256?',
    weight: 'note',
    whenYes: 'the store checks every upload of ours a second time',
    whenNo: 'the service’s own check is the only one',
    ask: probePayloadHash,
  },
  {
    id: 'content-md5',
    question: 'Are bytes refused that do not match Content-MD5?',
    weight: 'note',
    whenYes: 'not used',
    whenNo: 'not used',
    ask: probeContentMd5,
  },
  {
    id: 'checksum-put',
    question: 'Are bytes refused that do not match x-amz-checksum-sha256?',
    weight: 'note',
    whenYes: 'see the tickets below',
    whenNo: 'completed uploads are read and hashed',
    ask: probeChecksumPut,
  },
  {
    id: 'conditional-put',
    question: 'Does If-None-Match: * keep an existing key, also under a race?',
    weight: 'limit',
    security: true,
    whenYes: 'the first writer of a version wins',
    whenNo: 'racing uploads of the same bytes may replace each other’s metadata',
    ask: probeConditionalPut,
  },
  {
    id: 'conditional-overwrite',
    question: 'Is If-Match on a put compare-and-set, also under a race?',
    weight: 'limit',
    security: true,
    whenYes: 'tags can be moved with If-Match',
    whenNo: 'If-Match on tags is answered 501; the last move wins',
    ask: probeConditionalOverwrite,
  },
  {
    id: 'get-if-match',
    question: 'Is a read with a stale If-Match refused?',
    weight: 'limit',
    security: true,
    whenYes: 'staged bytes are pinned while they are published',
    whenNo: 'only the hash protects a publication; it is enough',
    ask: probeGetIfMatch,
  },
  {
    id: 'copy',
    question: 'Can the store copy an object by itself?',
    weight: 'note',
    whenYes: 'see the next row',
    whenNo: 'completed uploads are streamed through the service',
    ask: probeCopy,
  },
  {
    id: 'copy-pin',
    question: 'Is a copy with a stale x-amz-copy-source-if-match refused?',
    weight: 'note',
    security: true,
    whenYes: 'uploads whose digest the store enforced are published by a copy',
    whenNo: 'completed uploads are streamed through the service',
    ask: probeCopyPin,
  },
  {
    id: 'post-policy',
    question: 'Are uploads by signed form taken, and forged ones refused?',
    weight: 'limit',
    security: true,
    whenYes: 'see the next rows',
    whenNo: 'no tickets by form',
    ask: probePostPolicy,
  },
  {
    id: 'post-policy-bounds',
    question: 'Is a signed form bound to key, size, type, fields and time?',
    weight: 'limit',
    security: true,
    whenYes: 'see the next row',
    whenNo: 'no tickets by form',
    ask: probePostPolicyBounds,
  },
  {
    id: 'post-policy-header',
    question: 'Does an added x-amz-copy-source do nothing on a signed form?',
    weight: 'limit',
    security: true,
    whenYes: 'tickets are signed forms',
    whenNo: 'no tickets by form',
    ask: probePostPolicyHeader,
  },
  {
    id: 'post-policy-digest',
    question: 'Does a signed form refuse other bytes, and the store tell the digest later?',
    weight: 'note',
    security: true,
    whenYes: 'completed forms need not be read again',
    whenNo: 'completed forms are read and hashed',
    ask: probePostPolicyDigest,
  },
  {
    id: 'presigned-put',
    question: 'Are presigned PUTs taken, and forged ones refused?',
    weight: 'note',
    security: true,
    whenYes: 'see the next rows',
    whenNo: 'no tickets by PUT',
    ask: probePresignedPut,
  },
  {
    id: 'presigned-put-bounds',
    question: 'Is a presigned PUT bound to size and type?',
    weight: 'note',
    security: true,
    whenYes: 'see the next row',
    whenNo: 'no tickets by PUT',
    ask: probePresignedPutBounds,
  },
  {
    id: 'presigned-put-headers',
    question: 'Are x-amz-* headers refused that were not signed (the copy hole)?',
    weight: 'note',
    security: true,
    whenYes: 'tickets may be presigned PUTs, where forms are not safe',
    whenNo: 'tickets are never presigned PUTs here',
    ask: probePresignedPutHeaders,
  },
  {
    id: 'presigned-put-digest',
    question: 'Does a presigned PUT refuse other bytes, and the store tell the digest later?',
    weight: 'note',
    security: true,
    whenYes: 'completed PUTs need not be read again',
    whenNo: 'completed PUTs are read and hashed',
    ask: probePresignedPutDigest,
  },
  {
    id: 'multipart-abort',
    question: 'Does an aborted upload of parts take no more parts?',
    weight: 'limit',
    whenYes: 'failed uploads leave nothing',
    whenNo: 'failed uploads may leave parts; add a lifecycle rule',
    ask: probeMultipartAbort,
  },
  {
    id: 'lifecycle',
    question: 'Does a lifecycle rule empty staging?',
    weight: 'limit',
    whenYes: 'leftovers go even while no service runs',
    whenNo: 'the service’s sweeper alone removes leftovers',
    ask: probeLifecycle,
  },
  {
    id: 'versioning',
    question: 'Does the bucket keep old versions of keys?',
    weight: 'note',
    whenYes: 'deleted bytes stay until a lifecycle rule expires them',
    whenNo: 'deleted bytes are gone',
    ask: probeVersioning,
  },
  {
    id: 'object-lock',
    question: 'Is object lock on?',
    weight: 'note',
    whenYes: 'locked versions cannot be deleted',
    whenNo: 'nothing is locked',
    ask: probeObjectLock,
  },
  {
    id: 'cors',
    question: 'May a browser of another origin send a form to the bucket?',
    weight: 'note',
    whenYes: 'browsers transfer directly',
    whenNo: 'browsers transfer through the service',
    ask: probeCors,
  },
]

export interface ProbeReport {
  findings: Finding[]
  /** Keys of the probe's own that could not be removed. */
  left: string[]
}

/**
 * Asks the store what it really does, on keys of the probe's own under `<prefix>staging/`, which it removes.
 *
 * @param options.securityOnly the rows that the service rests on, for the run at its start.
 * @param options.onFinding told of each row as it is known, for a progress display.
 */
export async function probeStore(
  connection: S3Connection,
  prefix: string,
  options: { securityOnly?: boolean; onFinding?: (finding: Finding) => void } = {},
): Promise<ProbeReport> {
  const scratch = createScratch(connection, prefix)
  const findings: Finding[] = []
  let left: string[] = []
  try {
    for (const row of rows) {
      if (options.securityOnly && !row.security) continue
      const finding = await ask(row, scratch)
      findings.push(finding)
      options.onFinding?.(finding)
    }
  } finally {
    left = await scratch.cleanUp()
  }
  return { findings, left }
}

async function ask({ id, question, weight, whenYes, whenNo, ask }: Row, scratch: Scratch): Promise<Finding> {
  const { verdict, seen } = await ask(scratch)
  return { id, question, weight, verdict, seen, consequence: verdict === 'yes' ? whenYes : whenNo }
}

/** What the service may rest on. A row that was not asked or not answered is never a yes. */
export function capabilitiesOf(findings: readonly Finding[]): StoreCapabilities {
  const verdicts = new Map<FindingId, Verdict>(findings.map(({ id, verdict }) => [id, verdict]))
  const verdictOf = (...ids: FindingId[]): Verdict => {
    const each = ids.map((id) => verdicts.get(id) ?? 'unknown')
    if (each.includes('no')) return 'no'
    return each.includes('unknown') ? 'unknown' : 'yes'
  }
  const form = verdictOf('post-policy', 'post-policy-bounds', 'post-policy-header')
  const put = verdictOf('presigned-put', 'presigned-put-bounds', 'presigned-put-headers')
  const ticketMethod = ticketMethodOf(form, put)
  const digestRow = ticketMethod === 'PUT' ? 'presigned-put-digest' : 'post-policy-digest'
  return {
    ticketMethod,
    digestEnforced: verdictOf(digestRow) === 'yes',
    copyPinHonoured: verdictOf('copy-pin') === 'yes',
    conditionalOverwrite: verdictOf('conditional-overwrite'),
  }
}

/** Forms first: they have shown no hole anywhere. */
function ticketMethodOf(form: Verdict, put: Verdict): StoreCapabilities['ticketMethod'] {
  if (form === 'yes') return 'POST'
  if (form === 'unknown') return 'unknown'
  if (put === 'yes') return 'PUT'
  return put === 'unknown' ? 'unknown' : 'none'
}

/** 0 fit, 1 fit with limits, 2 unfit: the exit code of `doctor`. */
export function severityOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const missing = findings.filter(({ verdict }) => verdict !== 'yes')
  if (missing.some(({ weight }) => weight === 'essential')) return 2
  return missing.some(({ weight }) => weight === 'limit') ? 1 : 0
}
