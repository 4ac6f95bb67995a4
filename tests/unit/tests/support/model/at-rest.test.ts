import { describe, expect, it } from 'bun:test'
import { type AtRest, brokenPromises } from '../../../../support/model/at-rest.ts'
import type { Operation } from '../../../../support/model/history.ts'
import { answered, complete, factsOf, unanswered, upload } from './history-samples.ts'

const ok = { code: 'ok' } as const
const uploadedA = answered([0, 1], upload('A'), { code: 'ok', created: true })
const deletedA = answered([2, 3], { kind: 'delete', digest: 'A' }, ok)
const intact = { facts: factsOf('ann'), bytes: 'intact' } as const

function rest(changes: Partial<AtRest> = {}): AtRest {
  return { versions: { A: intact }, listed: ['A'], tags: { latest: { digest: 'A' } }, tagged: {}, ...changes }
}

const nothing: AtRest = { versions: { A: null }, listed: [], tags: { latest: null }, tagged: {} }

describe('a document at rest', () => {
  it('keeps its promises when what was acknowledged is there, and what was deleted is not', () => {
    expect(brokenPromises([uploadedA], rest())).toEqual([])
    expect(brokenPromises([uploadedA, deletedA], nothing)).toEqual([])
  })

  it('breaks them when an acknowledged version is absent', () => {
    expect(brokenPromises([uploadedA], nothing)).toEqual([
      'A was acknowledged and not deleted, and it is lost',
    ])
  })

  it('breaks them when a version is not listed, or listed and not readable', () => {
    expect(brokenPromises([uploadedA], rest({ listed: [] }))).toEqual(['A is not listed'])
    const listed = rest({ listed: ['A', 'B'], versions: { A: intact, B: null } })
    expect(brokenPromises([uploadedA], listed)).toEqual(['B is listed and not readable'])
  })

  it('breaks them when bytes are damaged', () => {
    const damaged = rest({ versions: { A: { ...intact, bytes: 'damaged' } } })
    expect(brokenPromises([uploadedA], damaged)).toEqual(['the bytes of A are not those that were uploaded'])
  })

  it('breaks them when a tag dangles', () => {
    const dangling = { ...nothing, tags: { latest: { digest: 'A' } } }
    expect(brokenPromises([uploadedA, deletedA], dangling)).toEqual(['the tag latest dangles: A is absent'])
  })

  it('breaks them when the list by a tag shows something else than the tag', () => {
    const tags = { latest: { digest: 'A' }, stable: { digest: 'A' } }
    const moved = answered([2, 3], { kind: 'moveTag', tag: 'stable', digest: 'A' }, { ...ok, created: true })
    expect(brokenPromises([uploadedA, moved], rest({ tags, tagged: { stable: ['A'] } }))).toEqual([])
    const broken = [
      [[], 'the list by stable shows nothing instead of A'],
      [['A', 'A'], 'the list by stable shows A, A instead of A'],
      [['B'], 'the list by stable shows B instead of A'],
    ] as const
    for (const [stable, flaw] of broken)
      expect(brokenPromises([uploadedA], rest({ tags, tagged: { stable } }))).toEqual([flaw])
    const removed = rest({ tags: { ...tags, stable: null }, tagged: { stable: ['A'] } })
    expect(brokenPromises([uploadedA], removed)).toEqual(['the list by stable shows A instead of nothing'])
  })

  it('breaks them when a deleted version is back', () => {
    expect(brokenPromises([uploadedA, deletedA], rest())).toEqual([
      'A was deleted and not uploaded again, and it is back',
    ])
  })

  it('keeps them when a ticket found the bytes of an upload that was refused after the deletion', () => {
    const late: Operation = { ...upload('A', 'bob'), ifLatest: ['B'] } as Operation
    const refused = answered([2, 6], late, { code: 'precondition_failed' })
    const found = answered([4, 5], { kind: 'ticket', digest: 'A' }, { code: 'ok' })
    const back = rest({ versions: { A: { facts: factsOf('bob'), bytes: 'intact' } } })
    expect(brokenPromises([uploadedA, deletedA, refused, found], back)).toEqual([])
    expect(brokenPromises([uploadedA, deletedA, found], back)).toEqual([
      'A was deleted and not uploaded again, and it is back',
    ])
  })

  it('breaks them when a repeated completion has brought a deleted version back', () => {
    const completed = answered([0, 1], complete('t1', 'A'), { code: 'ok', created: true })
    const repeated = answered([4, 5], complete('t1', 'A'), { code: 'ok', created: false })
    const back = rest({ versions: { A: { facts: factsOf('t1'), bytes: 'intact' } } })
    expect(brokenPromises([completed, deletedA, repeated], back).join()).toStartWith('not linearizable')
    expect(brokenPromises([completed, deletedA, repeated], nothing)).toEqual([])
  })

  it('breaks them when nothing or another version is the latest', () => {
    expect(brokenPromises([uploadedA], rest({ tags: { latest: null } }))).toEqual([
      'A is there, and nothing is the latest',
    ])
    const both = { versions: { A: intact, B: { ...intact, facts: factsOf('bob') } }, listed: ['A', 'B'] }
    const uploadedB = answered([2, 3], upload('B', 'bob'), ok)
    expect(
      brokenPromises([uploadedA, uploadedB], { ...both, tags: { latest: { digest: 'A' } }, tagged: {} }),
    ).toEqual(['B was acknowledged last, and A is the latest'])
  })

  it('breaks them when the metadata is not that of the first writer', () => {
    const second = answered([2, 3], upload('A', 'bob'), ok)
    const taken = rest({ versions: { A: { facts: factsOf('bob'), bytes: 'intact' } } })
    expect(brokenPromises([uploadedA, second], taken).join()).toStartWith('not linearizable')
  })

  it('may keep or lack a version whose upload was not answered', () => {
    expect(brokenPromises([unanswered(0, upload('A'))], nothing)).toEqual([])
    expect(brokenPromises([unanswered(0, upload('A'))], rest())).toEqual([])
  })

  it('may keep or lack a version whose deletion was not answered', () => {
    const lost = unanswered(2, { kind: 'delete', digest: 'A' })
    expect(brokenPromises([uploadedA, lost], rest())).toEqual([])
    expect(brokenPromises([uploadedA, lost], nothing)).toEqual([])
  })

  it('breaks them when a version that only an unanswered upload brought back after its deletion stays', () => {
    const lost = unanswered(1, upload('A', 'bob'))
    const back = rest({ versions: { A: { facts: factsOf('bob'), bytes: 'intact' } }, tags: { latest: null } })
    expect(brokenPromises([uploadedA, deletedA, lost], back)).toEqual([
      'A is there, and nothing is the latest',
    ])
    const latest = { ...back, tags: { latest: { digest: 'A' } } }
    expect(brokenPromises([uploadedA, deletedA, { ...lost, givenUp: 1.5 }], latest).join()).toContain(
      'it is back',
    )
  })
})
