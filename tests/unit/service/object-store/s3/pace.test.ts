import { describe, expect, it } from 'bun:test'
import { createPace } from '../../../../../service/object-store/s3/pace.ts'

/** A store that takes so many calls a second, each for 50 ms. The others hold their connection while they wait to ask again. */
interface Simulated {
  callsPerSecond: number
}

/** Runs `seconds` of a service that always has more to ask, in steps of 10 ms, and counts the store's answers. */
function simulate(store: Simulated, seconds: number) {
  const callsMax = 64
  let mayBeUnderWay = callsMax
  let nowMs = 0
  const pace = createPace(
    callsMax,
    (share) => {
      mayBeUnderWay = Math.round(share * callsMax)
    },
    () => nowMs,
  )
  let tokens = store.callsPerSecond / 10
  /** When the calls that are under way end. */
  let underWay: { until: number; answered: boolean }[] = []
  const counts = { answered: 0, turnedAway: 0 }

  function run(forSeconds: number) {
    counts.answered = 0
    counts.turnedAway = 0
    const end = nowMs + forSeconds * 1000
    for (; nowMs < end; nowMs += 10) {
      tokens = Math.min(tokens + store.callsPerSecond / 100, store.callsPerSecond / 10)
      const ended = underWay.filter(({ until, answered }) => answered && until <= nowMs)
      underWay = underWay.filter(({ until }) => until > nowMs)
      for (const _ of ended) pace.succeeded()
      counts.answered += ended.length
      let free = mayBeUnderWay - underWay.length
      for (; free > 0; free -= 1) {
        if (tokens >= 1) {
          tokens -= 1
          underWay.push({ until: nowMs + 50, answered: true })
        } else {
          underWay.push({ until: nowMs + 100, answered: false })
          counts.turnedAway += 1
          pace.slowedDown()
        }
      }
    }
    return { ...counts, mayBeUnderWay }
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
