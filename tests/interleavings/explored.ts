import type { Action } from './actions.ts'
import { exploreAll } from './choosers.ts'
import { describePlan, type Plan } from './plan.ts'
import { type RunOptions, runSchedule } from './schedule.ts'

export interface ExploreOptions extends RunOptions {
  /** Schedules to run at most. */
  max: number
  /** What can go wrong, once in each schedule; default: nothing. */
  troubles?: readonly Action['kind'][]
}

/** What an exploration has found. */
export interface Explored {
  /** Schedules that were run to their end. */
  schedules: number
  /** There are no others. */
  isComplete: boolean
  /** How many of them broke a promise. */
  broken: number
  /** The first of these, as text; empty if there is none. */
  firstBroken: string
}

/** Runs the schedules of a plan one after the other. */
export async function explore(
  plan: Plan,
  { max, troubles = [], ...options }: ExploreOptions,
): Promise<Explored> {
  const exploration = exploreAll(troubles)
  const explored: Explored = { schedules: 0, isComplete: false, broken: 0, firstBroken: '' }
  // Repetitions are given up before their end, so they cost less.
  for (let runs = 0; explored.schedules < max && runs < max * 4; runs += 1) {
    const choose = exploration.next()
    if (!choose) return { ...explored, isComplete: true }
    const { broken, log, isRepetition } = await runSchedule(plan, choose, options)
    if (isRepetition) continue
    explored.schedules += 1
    if (broken.length === 0) continue
    explored.broken += 1
    explored.firstBroken ||= [describePlan(plan), ...broken, ...log].join('\n')
  }
  return explored
}
