/**
 * One sentence that is proved or not. A list of these is data: what is promised, in which order it can be
 * tried, and how.
 */
export interface Check<Scene> {
  /** Such as `loki.landing`: stable, for machines. */
  id: string
  /** What is promised, for people. */
  sentence: string
  /** Ids of checks that must have been proved before: without them this one cannot be tried. */
  needs: readonly string[]
  /** Ids of checks that must have ended before, whatever came of them; those of no part in the run do not count. */
  after?: readonly string[]
  /** `all`: only with `--all`. `outside`: only with `--against`. */
  part: 'default' | 'all' | 'outside'
  /** Completes "not asked: …" where a running deployment cannot be asked; absent where it can. */
  notOutside?: string
  /** @throws {Missing} if something is not there that it needs. Anything else thrown means that it failed. */
  run(scene: Scene): Promise<Observation>
}

/** What a check saw. */
export interface Observation {
  holds: boolean
  /** What was there, in one line. */
  seen: string
  /** What should have been there instead; only where it does not hold. */
  reason?: string
}

export function holds(seen: string): Observation {
  return { holds: true, seen }
}

/** @param reason completes "✗ … : <seen>; <reason>". */
export function broken(seen: string, reason: string): Observation {
  return { holds: false, seen, reason }
}

/** Something that the proof needs is not there: nothing has been shown, in either direction. */
export class Missing extends Error {
  override readonly name = 'Missing'
}

/**
 * - `proved`: tried, and it holds.
 * - `failed`: tried, and it does not hold.
 * - `missing`: could not be tried, because something is not there that it needs.
 * - `not run`: could not be tried, because a check before it was not proved.
 * - `not asked`: nobody wanted to know, or nobody can from here.
 */
export type Verdict = 'proved' | 'failed' | 'missing' | 'not run' | 'not asked'

export interface CheckResult {
  id: string
  sentence: string
  verdict: Verdict
  /** What was seen; empty where it was not tried. */
  seen: string
  /** Why it is not proved; empty where it is. */
  reason: string
  seconds: number
}

/** 0 proved, 1 a check failed, 3 something that was needed is missing: a check that did not run proves nothing. */
export function exitCodeOf(results: readonly CheckResult[]): 0 | 1 | 3 {
  const some = (verdict: Verdict) => results.some((result) => result.verdict === verdict)
  if (some('failed')) return 1
  return some('missing') || some('not run') || !some('proved') ? 3 : 0
}
