import { describe, expect, it } from 'bun:test'
import type { Entry } from '../../../../support/model/history.ts'
import { checkLinearizable } from '../../../../support/model/linearizability.ts'
import { answered, complete, factsOf, unanswered, upload } from './history-samples.ts'

function isLegal(...history: Entry[]): boolean {
  const { linearizable } = checkLinearizable(history)
  expect(linearizable).not.toBe('undecided')
  return linearizable === 'yes'
}

const ok = { code: 'ok' } as const
const absent = { code: 'document_not_found' } as const
const uploadedA = answered([0, 1], upload('A'), { code: 'ok', created: true })
const uploadedB = answered([2, 3], upload('B'), { code: 'ok', created: true })

describe('a history of uploads', () => {
  it('is legal when a later reader finds the version and its facts', () => {
    expect(
      isLegal(
        uploadedA,
        answered([2, 3], { kind: 'read', digest: 'A' }, { code: 'ok', facts: factsOf('ann') }),
      ),
    ).toBe(true)
  })

  it('is illegal when a later reader misses an acknowledged version', () => {
    expect(isLegal(uploadedA, answered([2, 3], { kind: 'read', digest: 'A' }, absent))).toBe(false)
  })

  it('is legal when a reader at the same time misses the version', () => {
    expect(isLegal(uploadedA, answered([0, 1], { kind: 'read', digest: 'A' }, absent))).toBe(true)
  })

  it('is legal when bytes are seen before their upload is acknowledged', () => {
    const slow = answered([0, 9], upload('A'), { code: 'ok', created: true })
    const latest = answered([4, 5], { kind: 'readTag', tag: 'latest' }, absent)
    expect(isLegal(slow, answered([2, 3], { kind: 'read', digest: 'A' }, ok), latest)).toBe(true)
  })

  it('is illegal when a version that was not uploaded is seen', () => {
    expect(isLegal(uploadedA, answered([2, 3], { kind: 'read', digest: 'B' }, ok))).toBe(false)
  })

  it('is illegal when two uploads of one version are both the first', () => {
    const second = answered([0, 5], upload('A', 'bob'), { code: 'ok', created: true })
    expect(isLegal(uploadedA, second)).toBe(false)
  })

  it('is illegal when the second upload takes over the metadata of the first', () => {
    const second = answered([2, 3], upload('A', 'bob'), { code: 'ok', created: false, facts: factsOf('bob') })
    expect(isLegal(uploadedA, second)).toBe(false)
  })

  it('is legal when the second upload is answered with the metadata of the first', () => {
    const second = answered([2, 3], upload('A', 'bob'), { code: 'ok', created: false, facts: factsOf('ann') })
    expect(isLegal(uploadedA, second)).toBe(true)
  })

  it('is illegal when latest is not the version that was uploaded last', () => {
    const latest = { kind: 'readByTag', tag: 'latest' } as const
    expect(isLegal(uploadedA, uploadedB, answered([4, 5], latest, { code: 'ok', digest: 'B' }))).toBe(true)
    expect(isLegal(uploadedA, uploadedB, answered([4, 5], latest, { code: 'ok', digest: 'A' }))).toBe(false)
  })

  it('is illegal when an upload that was answered is not the latest in its own answer', () => {
    const alone = answered([2, 3], upload('B'), { code: 'ok', created: true, tags: [] })
    expect(isLegal(uploadedA, alone)).toBe(false)
  })
})

describe('a history of deletions', () => {
  const deletedB = answered([4, 5], { kind: 'delete', digest: 'B' }, ok)
  const latest = { kind: 'readTag', tag: 'latest' } as const

  it('is legal when latest falls back to the version that was acknowledged before', () => {
    const again = answered([2, 3], upload('A'), { code: 'ok', created: false })
    const uploadedC = answered([2.4, 2.6], upload('C'), { code: 'ok', created: true })
    const history = [uploadedA, uploadedC, answered([2.7, 3], upload('B'), ok), deletedB]
    expect(isLegal(...history, answered([6, 7], latest, { code: 'ok', digest: 'C' }))).toBe(true)
    expect(isLegal(...history, answered([6, 7], latest, { code: 'ok', digest: 'A' }))).toBe(false)
    expect(
      isLegal(uploadedA, again, uploadedB, deletedB, answered([6, 7], latest, { code: 'ok', digest: 'A' })),
    ).toBe(true)
  })

  it('is illegal when a tag that no deletion may overlook points to the version', () => {
    const tagged = answered(
      [2, 3],
      { kind: 'moveTag', tag: 'stable', digest: 'A' },
      { code: 'ok', etag: 'e1', created: true },
    )
    expect(isLegal(uploadedA, tagged, answered([4, 5], { kind: 'delete', digest: 'A' }, ok))).toBe(false)
    expect(
      isLegal(
        uploadedA,
        tagged,
        answered([4, 5], { kind: 'delete', digest: 'A' }, { code: 'version_tagged' }),
      ),
    ).toBe(true)
  })

  it('is illegal when a retention rule removes the latest version', () => {
    expect(isLegal(uploadedA, answered([2, 3], { kind: 'retain', digest: 'A' }, ok))).toBe(false)
    expect(isLegal(uploadedA, uploadedB, answered([4, 5], { kind: 'retain', digest: 'A' }, ok))).toBe(true)
  })

  it('is legal when the bytes are readable for a while after latest has left them', () => {
    const slow = answered([4, 9], { kind: 'delete', digest: 'B' }, ok)
    const moved = answered([5, 6], latest, { code: 'ok', digest: 'A' })
    expect(
      isLegal(uploadedA, uploadedB, slow, moved, answered([7, 8], { kind: 'read', digest: 'B' }, ok)),
    ).toBe(true)
  })

  it('is legal when a deletion without an answer takes effect late, and illegal when it does so twice', () => {
    const lost = unanswered(4, { kind: 'delete', digest: 'B' })
    const still = answered([5, 6], { kind: 'read', digest: 'B' }, ok)
    const gone = answered([7, 8], { kind: 'read', digest: 'B' }, absent)
    const again = answered([9, 10], upload('B', 'bob'), { code: 'ok', created: true })
    expect(isLegal(uploadedA, uploadedB, lost, still, gone, again)).toBe(true)
    expect(
      isLegal(
        uploadedA,
        uploadedB,
        lost,
        gone,
        again,
        answered([11, 12], { kind: 'read', digest: 'B' }, absent),
      ),
    ).toBe(false)
  })

  it('is legal when two deletions at the same time are both answered, and illegal one after the other', () => {
    const second = (start: number) => answered([start, 9], { kind: 'delete', digest: 'B' }, ok)
    expect(isLegal(uploadedA, uploadedB, deletedB, second(5))).toBe(true)
    expect(isLegal(uploadedA, uploadedB, deletedB, second(6))).toBe(false)
  })

  it('is illegal when an operation without an answer takes effect after its end', () => {
    const lost = unanswered(4, { kind: 'delete', digest: 'B' }, 5)
    const still = answered([6, 7], { kind: 'read', digest: 'B' }, ok)
    expect(
      isLegal(uploadedA, uploadedB, lost, still, answered([8, 9], { kind: 'read', digest: 'B' }, absent)),
    ).toBe(false)
  })
})

describe('a history of moves of a tag', () => {
  const first = answered(
    [2, 3],
    { kind: 'moveTag', tag: 'stable', digest: 'A' },
    { code: 'ok', etag: 'e1', created: true },
  )
  const moveIf = (etag: string) => ({ kind: 'moveTag', tag: 'stable', digest: 'A', ifMatch: [etag] }) as const

  it('is illegal when two moves from the same ETag succeed', () => {
    const second = answered([4, 9], moveIf('e1'), { code: 'ok', etag: 'e2' })
    expect(
      isLegal(uploadedA, first, second, answered([4, 9], moveIf('e1'), { code: 'ok', etag: 'e3' })),
    ).toBe(false)
    expect(
      isLegal(uploadedA, first, second, answered([4, 9], moveIf('e1'), { code: 'precondition_failed' })),
    ).toBe(true)
  })

  it('is illegal when a condition fails that must hold', () => {
    expect(isLegal(uploadedA, first, answered([4, 5], moveIf('e1'), { code: 'precondition_failed' }))).toBe(
      false,
    )
  })

  it('is legal when the ETag of an upload is first seen by a reader and then used', () => {
    const seen = answered([2, 3], { kind: 'readTag', tag: 'latest' }, { code: 'ok', digest: 'A', etag: 'u1' })
    const byHand = { kind: 'moveTag', tag: 'latest', digest: 'A', ifMatch: ['u1'] } as const
    expect(
      isLegal(uploadedA, seen, answered([4, 5], byHand, { code: 'ok', etag: 'e2', created: false })),
    ).toBe(true)
    expect(isLegal(uploadedA, seen, answered([4, 5], { ...byHand, ifMatch: ['e1'] }, { code: 'ok' }))).toBe(
      false,
    )
  })

  it('is illegal when a removed tag is read, and when an absent one is removed', () => {
    const removed = answered([4, 5], { kind: 'removeTag', tag: 'stable', ifMatch: ['e1'] }, ok)
    const read = answered([6, 7], { kind: 'readTag', tag: 'stable' }, { code: 'ok', digest: 'A', etag: 'e1' })
    expect(isLegal(uploadedA, first, removed)).toBe(true)
    expect(isLegal(uploadedA, first, removed, read)).toBe(false)
    expect(
      isLegal(uploadedA, first, removed, answered([6, 7], { kind: 'removeTag', tag: 'stable' }, ok)),
    ).toBe(false)
  })

  it('is illegal when a tag is moved to an absent version', () => {
    const unknown = { kind: 'moveTag', tag: 'stable', digest: 'B' } as const
    expect(isLegal(uploadedA, answered([2, 3], unknown, ok))).toBe(false)
    expect(isLegal(uploadedA, answered([2, 3], unknown, { code: 'version_unknown' }))).toBe(true)
  })
})

describe('a history of completions', () => {
  it('is illegal when one ticket is answered twice with a new version', () => {
    const first = answered([0, 9], complete('t1', 'A'), { code: 'ok', created: true })
    expect(isLegal(first, answered([0, 9], complete('t1', 'A'), { code: 'ok', created: true }))).toBe(false)
    expect(isLegal(first, answered([0, 9], complete('t1', 'A'), { code: 'ok', created: false }))).toBe(true)
  })

  it('is illegal when a repetition moves latest back', () => {
    const completed = answered([0, 1], complete('t1', 'A'), { code: 'ok', created: true })
    const repeated = answered([4, 5], complete('t1', 'A'), { code: 'ok', created: false })
    const latest = answered([6, 7], { kind: 'readTag', tag: 'latest' }, { code: 'ok', digest: 'A' })
    expect(isLegal(completed, uploadedB, repeated, latest)).toBe(false)
  })

  it('is legal when a ticket is issued for an absent version only', () => {
    const asked = { kind: 'ticket', digest: 'A' } as const
    expect(isLegal(answered([0, 1], asked, { code: 'issued' }))).toBe(true)
    expect(isLegal(uploadedA, answered([2, 3], asked, { code: 'issued' }))).toBe(false)
    expect(isLegal(uploadedA, answered([2, 3], asked, { code: 'ok', facts: factsOf('ann') }))).toBe(true)
  })
})

describe('checkLinearizable', () => {
  it('says which operations no order explains', () => {
    const { stuckAt } = checkLinearizable([
      uploadedA,
      answered([2, 3], { kind: 'read', digest: 'A' }, absent),
    ])
    expect(stuckAt).toContain('2–3 read {"digest":"A"} → {"code":"document_not_found"}')
  })

  it('gives up when there is too much to look at', () => {
    const { linearizable } = checkLinearizable([uploadedA, uploadedB], { pointsMax: 1 })
    expect(linearizable).toBe('undecided')
  })

  it('decides a history of 2,000 operations, eight at a time, a part of them without an answer', () => {
    const history = Array.from({ length: 2000 }, (_, at): Entry => {
      const start = Math.floor(at / 8)
      const read = { kind: 'read', digest: 'A' } as const
      if (at % 400 === 399) return unanswered(start, upload(`U${at}`), start + 3)
      if (at % 2 === 1) return answered([start, start + 0.5], read, ok)
      return answered([start, start + 0.5], upload(at === 0 ? 'A' : `V${at % 7}`), ok)
    })
    const { linearizable, looked } = checkLinearizable(history)
    expect(linearizable).toBe('yes')
    expect(looked).toBeLessThan(50_000)
  })
})
