import { randomOf } from '../support/seed.ts'
import { type Action, areIndependent, type Choose, type Past } from './actions.ts'

/** Goes through all schedules, depth first: each run repeats the choices of the one before, up to the last that can be another. */
export interface Exploration {
  /** Returns the chooser of the next run, `null` if there is none left. */
  next(): Choose | null
}

/**
 * Explores all schedules. Of schedules that differ only in the order of independent steps it takes one: no step follows an
 * independent one of a higher rank. Sleeps end only when nothing else can happen.
 *
 * @param troubles what can go wrong, once in each schedule, at any step; default: nothing.
 */
export function exploreAll(troubles: readonly Action['kind'][] = []): Exploration {
  /** How many choices there were at each point of the last run, and which was taken. */
  const path: { count: number; taken: number }[] = []
  let begun = false

  return {
    next() {
      if (begun) {
        while ((path.at(-1)?.taken ?? 0) + 1 >= (path.at(-1)?.count ?? Infinity)) path.pop()
        const last = path.at(-1)
        if (!last) return null
        last.taken += 1
      }
      begun = true
      let depth = 0
      let isTroubled = false
      return (actions, past) => {
        const wrong = isTroubled ? [] : actions.filter(({ kind }) => troubles.includes(kind))
        const open = [...withoutRepetitions(actions, past), ...wrong]
        const known = path[depth] ?? { count: open.length, taken: 0 }
        if (!path[depth]) path.push(known)
        depth += 1
        const taken = open[known.taken] ?? null
        isTroubled ||= taken !== null && troubles.includes(taken.kind)
        return taken
      }
    },
  }
}

function withoutRepetitions(actions: readonly Action[], { action: before, hasEnded }: Past): Action[] {
  const isNext = ({ kind }: Action) => kind === 'start' || kind === 'call' || kind === 'answer'
  const sleeping = actions.filter(({ kind }) => kind === 'wake')
  const next = actions.some(isNext) ? actions.filter(isNext) : sleeping.slice(0, 1)
  const steps = [...next, ...actions.filter(({ kind }) => kind === 'deliver')]
  return steps.filter(
    (step) =>
      !before ||
      !(before.kind === 'start' || before.kind === 'call') ||
      (hasEnded && step.kind === 'start') ||
      step.rank > before.rank ||
      !areIndependent(before, step),
  )
}

/** How often what happens in a random schedule, next to calls that end well. */
export interface Rates {
  /** Of each step: the probability of a fault, a crash, or a jump of the clock. */
  faults: number
  crashes: number
  ticks: number
  /** How many faults and crashes one schedule has at most. */
  troublesMax: number
}

/** Nothing goes wrong. */
export const calm: Rates = { faults: 0, crashes: 0, ticks: 0, troublesMax: 0 }

/** Calls are lost, late or repeated, replicas crash, and time passes. */
export const rough: Rates = { faults: 0.12, crashes: 0.04, ticks: 0.08, troublesMax: 3 }

/** Chooses at random; the same for the same seed. */
export function chooseAtRandom(seed: number, rates: Rates): Choose {
  const random = randomOf(seed)
  let troubles = 0
  return (actions) => {
    const of = (...kinds: Action['kind'][]) => actions.filter(({ kind }) => kinds.includes(kind))
    const trouble = (probability: number, kind: Action['kind']): Action | null => {
      const possible = of(kind)
      const happens = random.chance(probability) && possible.length > 0 && troubles < rates.troublesMax
      if (!happens) return null
      troubles += 1
      return random.pick(possible)
    }
    const ticks = of('tick')
    if (random.chance(rates.ticks) && ticks.length > 0) return random.pick(ticks)
    const wrong = trouble(rates.faults, 'fault') ?? trouble(rates.crashes, 'crash')
    if (wrong) return wrong
    const slow = of('slow')
    if (slow.length > 0 && random.chance(0.2)) return random.pick(slow)
    const steps = of('start', 'call', 'answer', 'deliver')
    const sleeping = of('wake')
    // Most sleeps are longer than a few calls.
    if (sleeping.length > 0 && (steps.length === 0 || random.chance(0.3))) return random.pick(sleeping)
    return steps.length > 0 ? random.pick(steps) : null
  }
}
