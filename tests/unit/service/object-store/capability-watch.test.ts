import { afterEach, describe, expect, it } from 'bun:test'
import { type CapabilityWatch, watchCapabilities } from '../../../../service/object-store/capability-watch.ts'
import type { Finding, FindingId, Verdict } from '../../../../service/object-store/probe/finding.ts'
import { nothingKnown, type StoreCapabilities } from '../../../../service/object-store/store-capabilities.ts'
import { knownFindings } from '../../../support/stores/known-capabilities.ts'

function found(but: Partial<Record<FindingId, Verdict>> = {}): Finding[] {
  return knownFindings('minio').map((finding) => ({ ...finding, verdict: but[finding.id] ?? 'yes' }))
}

let watch: CapabilityWatch | undefined
afterEach(() => watch?.stop())

interface Round {
  capabilities: StoreCapabilities
  findings: readonly Finding[]
  /** When it was reported, by `performance.now()`. */
  at: number
}

/**
 * Watches a store that answers these rounds one after the other, an error for a probe that fails, and repeats the
 * last one indefinitely.
 *
 * @returns a function that waits until that many rounds were reported.
 */
function watchRounds(
  answers: (Finding[] | Error)[],
  seconds: { intervalSeconds: number; retrySeconds: number },
) {
  const rounds: Round[] = []
  const waiting: { count: number; resolve: (rounds: Round[]) => void }[] = []
  let asked = 0
  watch = watchCapabilities({
    ...seconds,
    async probe(onFinding) {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? []
      asked += 1
      if (answer instanceof Error) throw answer
      for (const finding of answer) onFinding(finding)
    },
    onRound(capabilities, findings) {
      rounds.push({ capabilities, findings, at: performance.now() })
      for (const { count, resolve } of waiting) if (rounds.length >= count) resolve([...rounds])
    },
  })
  return (count: number) =>
    new Promise<Round[]>((resolve) => {
      if (rounds.length >= count) resolve([...rounds])
      waiting.push({ count, resolve })
    })
}

const fast = { intervalSeconds: 0.02, retrySeconds: 0.01 }

describe('watchCapabilities', () => {
  it('knows nothing until the store has answered', () => {
    watch = watchCapabilities({ ...fast, probe: () => new Promise(() => {}), onRound() {} })
    expect(watch.current()).toEqual(nothingKnown)
  })

  it('counts each row as soon as it is answered, and tickets when all of theirs are', async () => {
    const answers = Promise.withResolvers<(finding: Finding) => void>()
    watch = watchCapabilities({
      ...fast,
      probe(onFinding) {
        answers.resolve(onFinding)
        return new Promise(() => {})
      },
      onRound() {},
    })
    const tell = await answers.promise
    const of = (id: FindingId) => found().find((finding) => finding.id === id) as Finding
    tell(of('conditional-overwrite'))
    expect(watch.current()).toEqual({ ...nothingKnown, conditionalOverwrite: 'yes' })
    tell(of('post-policy'))
    tell(of('post-policy-bounds'))
    expect(watch.current().ticketMethod).toBe('unknown')
    tell(of('post-policy-header'))
    expect(watch.current().ticketMethod).toBe('POST')
  })

  it('reports after each round what was found and what is known now', async () => {
    const [first] = await watchRounds([found()], fast)(1)
    expect(first?.findings).toEqual(found())
    expect(first?.capabilities).toEqual(watch?.current() ?? nothingKnown)
    expect(first?.capabilities.ticketMethod).toBe('POST')
  })

  it('asks again and again, and follows a store that changes', async () => {
    const rounds = await watchRounds([found(), found({ 'post-policy': 'no' }), found()], fast)(3)
    expect(rounds.map(({ capabilities }) => capabilities.ticketMethod)).toEqual(['POST', 'PUT', 'POST'])
  })

  it('forgets a row that a later round does not answer', async () => {
    const withoutPin = found().filter(({ id }) => id !== 'copy-once')
    const rounds = await watchRounds([found(), withoutPin], fast)(2)
    expect(rounds.map(({ capabilities }) => capabilities.copyOnce)).toEqual([true, false])
  })

  it('forgets everything where the probe fails, and learns it again', async () => {
    const rounds = await watchRounds([found(), new Error('no such luck'), found()], fast)(3)
    expect(rounds[1]).toMatchObject({ capabilities: nothingKnown, findings: [] })
    expect(rounds[2]?.capabilities.ticketMethod).toBe('POST')
  })

  it('asks sooner where something is open, whichever row it is', async () => {
    const open = found({ 'post-policy-digest': 'unknown' })
    const [first, second] = await watchRounds([open, found()], {
      intervalSeconds: 3600,
      retrySeconds: 0.01,
    })(2)
    expect(first?.capabilities.digestEnforced).toBe(false)
    expect(second?.capabilities.digestEnforced).toBe(true)
  })

  it('asks less and less often while a row stays open', async () => {
    const rounds = await watchRounds([found({ 'get-if-match': 'unknown' })], {
      intervalSeconds: 3600,
      retrySeconds: 0.02,
    })(5)
    const waits = rounds.slice(1).map(({ at }, index) => at - (rounds[index]?.at ?? 0))
    // Timers may be late, never early: 20, 40, 80 and 160 ms.
    expect(waits.map((wait, index) => wait >= 20 * 2 ** index - 2)).toEqual([true, true, true, true])
  })

  it('asks no more once it is stopped, and does not report a round under way', async () => {
    const started = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<void>()
    let asked = 0
    let reported = 0
    watch = watchCapabilities({
      ...fast,
      async probe() {
        asked += 1
        started.resolve()
        await answer.promise
      },
      onRound() {
        reported += 1
      },
    })
    await started.promise
    watch.stop()
    answer.resolve()
    await Bun.sleep(60)
    expect({ asked, reported }).toEqual({ asked: 1, reported: 0 })
  })
})
