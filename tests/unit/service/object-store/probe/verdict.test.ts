import { describe, expect, it } from 'bun:test'
import { conditionsProblem } from '../../../../../service/object-store/probe/conditions.ts'
import type { Finding, FindingId, Verdict } from '../../../../../service/object-store/probe/finding.ts'
import { capabilitiesOf, severityOf } from '../../../../../service/object-store/probe/probe.ts'
import { explainTickets } from '../../../../../service/object-store/probe/tickets.ts'
import { nothingKnown } from '../../../../../service/object-store/store-capabilities.ts'
import { knownFindings } from '../../../../support/stores/known-capabilities.ts'

/** All rows are a yes except those given. */
function found(but: Partial<Record<FindingId, Verdict>> = {}): Finding[] {
  return knownFindings('minio').map((finding) => ({ ...finding, verdict: but[finding.id] ?? 'yes' }))
}

function methodWhere(but: Partial<Record<FindingId, Verdict>>) {
  return capabilitiesOf(found(but)).ticketMethod
}

describe('capabilitiesOf', () => {
  it('relies on nothing before anything was asked', () => {
    expect(capabilitiesOf([])).toEqual(nothingKnown)
  })

  it('relies on everything where all rows are a yes, and uses forms for tickets', () => {
    expect(capabilitiesOf(found())).toEqual({
      ticketMethod: 'POST',
      digestEnforced: true,
      checksumKept: true,
      copyOnce: true,
      conditionalPut: 'yes',
      conditionalOverwrite: 'yes',
      startAfterExact: true,
    })
  })

  it('uses PUTs where any one row of forms is a no and all rows of PUTs are a yes', () => {
    expect(methodWhere({ 'post-policy': 'no' })).toBe('PUT')
    expect(methodWhere({ 'post-policy-bounds': 'no' })).toBe('PUT')
    expect(methodWhere({ 'post-policy-header': 'no' })).toBe('PUT')
  })

  it('uses no method where any one row of each is a no', () => {
    expect(methodWhere({ 'post-policy': 'no', 'presigned-put': 'no' })).toBe('none')
    expect(methodWhere({ 'post-policy': 'no', 'presigned-put-bounds': 'no' })).toBe('none')
    expect(methodWhere({ 'post-policy': 'no', 'presigned-put-copy': 'no' })).toBe('none')
    expect(methodWhere({ 'post-policy': 'no', 'presigned-put-headers': 'no' })).toBe('none')
  })

  it('uses no method for now where a row is unknown, and never a PUT for lack of an answer about forms', () => {
    expect(methodWhere({ 'post-policy': 'unknown' })).toBe('unknown')
    expect(methodWhere({ 'post-policy-bounds': 'unknown' })).toBe('unknown')
    expect(methodWhere({ 'post-policy-header': 'unknown', 'presigned-put-copy': 'no' })).toBe('unknown')
    expect(methodWhere({ 'post-policy': 'no', 'presigned-put-copy': 'unknown' })).toBe('unknown')
    expect(methodWhere({ 'post-policy': 'no', 'presigned-put-headers': 'unknown' })).toBe('unknown')
  })

  it('does not wait for the row that would not change a no', () => {
    expect(methodWhere({ 'post-policy': 'unknown', 'post-policy-bounds': 'no' })).toBe('PUT')
    const neither = { 'post-policy': 'no', 'presigned-put': 'unknown', 'presigned-put-copy': 'no' } as const
    expect(methodWhere(neither)).toBe('none')
  })

  it('counts a row that was not asked as unknown', () => {
    const without = (id: FindingId) => capabilitiesOf(found().filter((finding) => finding.id !== id))
    expect(without('post-policy-header').ticketMethod).toBe('unknown')
    expect(without('copy-once').copyOnce).toBe(false)
    expect(without('post-policy-digest').digestEnforced).toBe(false)
    expect(without('conditional-overwrite').conditionalOverwrite).toBe('unknown')
    expect(without('conditional-put').conditionalPut).toBe('unknown')
  })

  it('looks at the digest row of the method that tickets use', () => {
    const forms = capabilitiesOf(found({ 'post-policy-digest': 'no' }))
    const puts = capabilitiesOf(found({ 'post-policy': 'no', 'post-policy-digest': 'no' }))
    expect([forms.digestEnforced, puts.digestEnforced]).toEqual([false, true])
    expect(capabilitiesOf(found({ 'post-policy-digest': 'unknown' })).digestEnforced).toBe(false)
  })

  it('counts an unknown pin as none', () => {
    expect(capabilitiesOf(found({ 'copy-once': 'unknown' })).copyOnce).toBe(false)
  })
})

describe('severityOf', () => {
  it('is 0 where only notes are open, such as versioning', () => {
    expect(severityOf(found())).toBe(0)
    expect(severityOf(found({ versioning: 'no', cors: 'unknown', 'presigned-put-copy': 'no' }))).toBe(0)
  })

  it('is 1 where a property is missing that the service can do without', () => {
    expect(severityOf(found({ lifecycle: 'no' }))).toBe(1)
    expect(severityOf(found({ 'get-if-match': 'unknown' }))).toBe(1)
  })

  it('is 1 where no ticket method is safe, and 0 where one is left', () => {
    expect(severityOf(found({ 'post-policy': 'no' }))).toBe(0)
    expect(severityOf(found({ 'post-policy': 'no', 'presigned-put-copy': 'no' }))).toBe(1)
    expect(severityOf(found({ 'post-policy': 'unknown' }))).toBe(1)
  })

  it('is 2 where the service cannot work, also where that is not known', () => {
    expect(severityOf(found({ list: 'no' }))).toBe(2)
    expect(severityOf(found({ 'conditional-overwrite': 'unknown' }))).toBe(2)
    expect(severityOf(found({ bucket: 'unknown', lifecycle: 'no' }))).toBe(2)
  })
})

describe('explainTickets', () => {
  const hole = (verdict: Verdict, exploited?: true) =>
    explainTickets(
      found().map((finding) =>
        finding.id === 'presigned-put-copy'
          ? { ...finding, verdict, ...(exploited ? { exploited } : {}) }
          : finding,
      ),
    )

  it('says present where the attack got through, absent where it was refused', () => {
    expect(hole('no', true).copyHoleLine).toBe('copy hole: present → PUT tickets are off')
    expect(hole('yes').copyHoleLine).toBe('copy hole: absent → PUT tickets possible')
  })

  it('says unknown where neither was seen, and PUTs are off too', () => {
    expect(hole('no').copyHoleLine).toBe('copy hole: unknown → PUT tickets are off')
    expect(hole('unknown').copyHoleLine).toBe('copy hole: unknown → PUT tickets are off')
    expect(explainTickets([]).copyHole).toBe('unknown')
  })

  it('names the other rows that rule out PUTs', () => {
    const { copyHoleLine } = explainTickets(found({ 'presigned-put-headers': 'no' }))
    expect(copyHoleLine).toBe('copy hole: absent → PUT tickets are still off: presigned-put-headers no')
  })

  it('names the rows that decided against a method', () => {
    expect(explainTickets(found({ 'post-policy-bounds': 'no' })).why).toEndWith(
      'forms are out (post-policy-bounds no)',
    )
    const none = explainTickets(found({ 'post-policy': 'no', 'presigned-put-copy': 'no' }))
    expect(none.why).toEndWith('(forms: post-policy no; PUT: presigned-put-copy no)')
    const open = explainTickets(found({ 'post-policy': 'unknown' }))
    expect(open.why).toEndWith('(forms: post-policy unknown; PUT: safe)')
  })

  it('says what happens to the bytes when an upload is completed', () => {
    expect(explainTickets(found()).completion).toStartWith('published by a copy')
    expect(explainTickets(found({ 'copy-once': 'no' })).completion).toStartWith(
      'streamed through the service',
    )
    expect(explainTickets(found({ 'post-policy-digest': 'no' })).completion).toStartWith('read, hashed')
    expect(explainTickets([]).completion).toStartWith('nothing to complete')
  })
})

describe('conditionsProblem', () => {
  it('names every row that is a no, what was seen and what to do', () => {
    const problem = conditionsProblem(found({ 'conditional-put': 'no' }))
    expect(problem).toContain('conditional-put')
    expect(problem).not.toContain('conditional-overwrite')
    expect(problem).toContain('SINGLE_REPLICA=true')
  })

  it('finds none where both hold, and where a row was not answered', () => {
    expect(conditionsProblem(found())).toBeUndefined()
    expect(conditionsProblem(found({ 'conditional-overwrite': 'unknown' }))).toBeUndefined()
    expect(conditionsProblem([])).toBeUndefined()
  })
})
