import { describe, expect, it } from 'bun:test'
import { freePort } from '../../../compose/servers/free-port.ts'
import type { Finding, FindingId } from '../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, probeStore, severityOf } from '../../../service/object-store/probe/probe.ts'
import { type Lies, refusal, startLyingStore } from '../../support/stores/lying-store.ts'
import { prefix, useStore } from '../../support/stores/probe-under-test.ts'

const store = await useStore()
const never = () => new Promise<Response>(() => {})

/** Short, because the answers never come; those that do come may take longer on a busy machine. */
const shortly = { answerSecondsMax: 0.3 }

async function probeLies(lies: Lies, options: { answerSecondsMax?: number } = {}): Promise<Finding[]> {
  const liar = startLyingStore(store, lies)
  try {
    return (await probeStore(liar, prefix, options)).findings
  } finally {
    await liar.stop()
  }
}

/** Rows whose yes needs a wrong request to be refused; on MinIO most of them are one. */
const needARefusal: FindingId[] = [
  'checksum-put',
  'conditional-put',
  'conditional-overwrite',
  'get-if-match',
  'copy-once',
  'post-policy',
  'post-policy-bounds',
  'post-policy-digest',
  'presigned-put',
  'presigned-put-bounds',
  'presigned-put-digest',
  'signed-download',
  'multipart-abort',
]

/** None of them could be answered. */
function expectOpen(findings: Finding[]): void {
  const found = findings.filter(({ id }) => needARefusal.includes(id))
  expect(found.map(({ id }) => id)).toEqual(needARefusal)
  expect(found.filter(({ verdict }) => verdict !== 'unknown')).toEqual([])
  // Listings are judged by right requests alone.
  expect(capabilitiesOf(findings)).toEqual({ ...allOpen, startAfterExact: true })
}

/** Replaces refusals of wrong requests. The bucket row must hold, or nothing is asked. */
function insteadOfRefusals(instead: () => Response | Promise<Response>): Lies {
  return {
    change: (response, { key, isForm }) =>
      response.status >= 400 && (key !== '' || isForm) ? instead() : response,
  }
}

const allOpen = {
  ticketMethod: 'unknown',
  digestEnforced: false,
  checksumKept: false,
  copyOnce: false,
  conditionalPut: 'unknown',
  conditionalOverwrite: 'unknown',
  startAfterExact: false,
} as const

describe('the probe', () => {
  it('takes wrong requests that are answered with 500 for unknown, which means no', async () => {
    const findings = await probeLies(insteadOfRefusals(() => refusal(500, 'InternalError')))
    expectOpen(findings)
    expect(findings.filter(({ seen }) => seen.startsWith('not asked'))).toEqual([])
    expect(severityOf(findings)).toBe(2)
  })

  it('takes wrong requests that are answered with 429 for unknown, which means no', async () => {
    const findings = await probeLies(insteadOfRefusals(() => refusal(429, 'SlowDown')))
    expectOpen(findings)
    expect(findings.filter(({ seen }) => seen.startsWith('not asked'))).toEqual([])
  })

  it('takes wrong requests that are not answered in time for unknown, which means no', async () => {
    const findings = await probeLies(insteadOfRefusals(never), shortly)
    expectOpen(findings)
  })
})

describe('the probe on a store that is out of reach', () => {
  const notAsked = 'unknown: not asked: the store does not answer'

  function expectUnfit(findings: Finding[], seen: string): void {
    const [first, ...others] = findings.map((finding) => `${finding.verdict}: ${finding.seen}`)
    expect(first).toBe(`unknown: ${seen}`)
    expect(new Set(others)).toEqual(new Set([notAsked]))
    expect(severityOf(findings)).toBe(2)
    expect(capabilitiesOf(findings)).toEqual(allOpen)
  }

  it('finds everything unknown where no server listens', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    const { findings, left } = await probeStore({ ...store, endpoint }, prefix)
    const cause = 'no answer (ECONNREFUSED: nothing listens on that port)'
    expectUnfit(findings, `right: ${cause}; wrong secret: ${cause}`)
    expect(left).toEqual([])
  })

  it('does not wait for a time-out per question where the store does not answer', async () => {
    let requests = 0
    const answer = () => {
      requests += 1
      return never()
    }
    const findings = await probeLies({ answer }, shortly)
    const cause = 'no answer (TimeoutError: it did not answer in time)'
    expectUnfit(findings, `right: ${cause}; wrong secret: ${cause}`)
    expect(requests).toBe(2)
  })

  it('finds everything unknown where each answer is 503', async () => {
    const findings = await probeLies({ answer: () => refusal(503, 'SlowDown') })
    expectUnfit(findings, 'right: 503 SlowDown; wrong secret: 503 SlowDown')
  })
})

describe('the probe on a store that stops answering half-way', () => {
  it('names every key that it could not remove, without waiting for each', async () => {
    let stopped = false
    const liar = startLyingStore(store, { answer: () => (stopped ? never() : null) })
    const { findings, left } = await probeStore(liar, prefix, {
      // Long enough for the answers before that, whatever else the machine does.
      answerSecondsMax: 1,
      securityOnly: true,
      onFinding: ({ id }) => {
        stopped ||= id === 'get-if-match'
      },
    })
    await liar.stop()
    expect(findings.find(({ id }) => id === 'get-if-match')?.verdict).toBe('yes')
    expect(capabilitiesOf(findings).ticketMethod).toBe('unknown')
    expect(findings.at(-1)?.seen).toBe('not asked: the store does not answer')
    expect(left.length).toBeGreaterThan(3)
  })
})
