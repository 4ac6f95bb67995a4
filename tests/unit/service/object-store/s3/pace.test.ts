import { describe, expect, it } from 'bun:test'
import { createPace } from '../../../../../service/object-store/s3/pace.ts'

/** A store that takes so many calls a second, each for 50 ms. The others hold their connection while they wait to ask again. */
interface Simulated {
  callsPerSecond: number
}

/** A replica that always has more to ask. */
class Replica {
  mayBeUnderWay = 64
  answered = 0
  turnedAway = 0
  /** When the calls that are under way end. */
  #underWay: { until: number; answered: boolean }[] = []
  readonly #pace: ReturnType<typeof createPace>

  constructor(now: () => number) {
    const callsMax = this.mayBeUnderWay
    const onChange = (share: number) => {
      this.mayBeUnderWay = Math.round(share * callsMax)
    }
    this.#pace = createPace(callsMax, onChange, now)
  }

  /** Ends what has ended, and asks for as much as it may. @param take whether the store takes one more call. */
  step(nowMs: number, take: () => boolean): void {
    const ended = this.#underWay.filter(({ until, answered }) => answered && until <= nowMs)
    this.#underWay = this.#underWay.filter(({ until }) => until > nowMs)
    for (const _ of ended) this.#pace.succeeded()
    this.answered += ended.length
    for (let free = this.mayBeUnderWay - this.#underWay.length; free > 0; free -= 1) {
      if (take()) {
        this.#underWay.push({ until: nowMs + 50, answered: true })
      } else {
        this.#underWay.push({ until: nowMs + 100, answered: false })
        this.turnedAway += 1
        this.#pace.slowedDown()
      }
    }
  }
}

/** Runs replicas in steps of 10 ms, and counts the store's answers. */
function simulate(store: Simulated, seconds: number, count = 1) {
  let nowMs = 0
  let tokens = store.callsPerSecond / 10
  const replicas = Array.from({ length: count }, () => new Replica(() => nowMs))
  const take = () => {
    if (tokens < 1) return false
    tokens -= 1
    return true
  }

  function run(forSeconds: number) {
    for (const replica of replicas) Object.assign(replica, { answered: 0, turnedAway: 0 })
    const end = nowMs + forSeconds * 1000
    for (let step = 0; nowMs < end; nowMs += 10, step += 1) {
      tokens = Math.min(tokens + store.callsPerSecond / 100, store.callsPerSecond / 10)
      // Another one is the first each time.
      for (let at = 0; at < count; at += 1) replicas[(at + step) % count]?.step(nowMs, take)
    }
    const sum = (of: (replica: Replica) => number) =>
      replicas.reduce((total, replica) => total + of(replica), 0)
    return {
      answered: sum(({ answered }) => answered),
      turnedAway: sum(({ turnedAway }) => turnedAway),
      mayBeUnderWay: sum(({ mayBeUnderWay }) => mayBeUnderWay),
      answeredOf: replicas.map(({ answered }) => answered),
    }
  }
  return { ...run(seconds), run }
}

describe('the pace of calls to the store', () => {
  it('stays at the maximum while the store takes them all', () => {
    expect(simulate({ callsPerSecond: 5000 }, 10)).toMatchObject({ turnedAway: 0, mayBeUnderWay: 64 })
  })

  it('settles where the store turns few calls away, and uses most of what it takes', () => {
    const store = { callsPerSecond: 400 }
    const { run, turnedAway: atFirst } = simulate(store, 1)
    run(20)
    const { answered, turnedAway, mayBeUnderWay } = run(60)
    expect(mayBeUnderWay).toBeLessThan(40)
    expect(turnedAway).toBeLessThan(answered / 4)
    expect(turnedAway / 60).toBeLessThan(atFirst / 10)
    expect(answered).toBeGreaterThan(0.7 * 60 * store.callsPerSecond)
  })

  it('lets replicas share what a store takes: together most of it, and none of them much less than another', () => {
    const store = { callsPerSecond: 750 }
    const table: Record<number, { answeredPerSecond: number; turnedAwayPercent: number }> = {}
    for (const replicas of [1, 2, 4, 8]) {
      const { run } = simulate(store, 60, replicas)
      const { answered, turnedAway, answeredOf } = run(120)
      table[replicas] = {
        answeredPerSecond: Math.round(answered / 120),
        turnedAwayPercent: Math.round((100 * turnedAway) / (answered + turnedAway)),
      }
      expect(answered).toBeGreaterThan(0.7 * 120 * store.callsPerSecond)
      expect(Math.min(...answeredOf)).toBeGreaterThan(Math.max(...answeredOf) / 2)
    }
    // As docs/performance.md has it.
    expect(table).toEqual({
      1: { answeredPerSecond: 628, turnedAwayPercent: 0 },
      2: { answeredPerSecond: 730, turnedAwayPercent: 0 },
      4: { answeredPerSecond: 749, turnedAwayPercent: 1 },
      8: { answeredPerSecond: 750, turnedAwayPercent: 3 },
    })
  })

  it('returns to the maximum once the store takes more again', () => {
    const store = { callsPerSecond: 100 }
    const { run } = simulate(store, 30)
    store.callsPerSecond = 5000
    expect(run(30)).toMatchObject({ mayBeUnderWay: 64, turnedAway: 0 })
  })

  it('never ends altogether, and is halved once for calls that were turned away together', () => {
    let now = 0
    const shares: number[] = []
    const keep = (share: number) => shares.push(share)
    const pace = createPace(8, keep, () => now)
    for (let second = 0; second < 6; second += 1) {
      for (let call = 0; call < 10; call += 1) pace.slowedDown()
      now += 1000
    }
    expect(shares).toEqual([4 / 8, 2 / 8, 1 / 8])
  })
})
