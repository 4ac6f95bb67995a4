/**
 * One sentence that is proved or not. A list of checks is data: what is promised, what has to be proved before, and
 * how it is tried. A check returns what it found; those that need it receive that.
 */
export interface Check<Context, Found = unknown> {
  /** Such as `loki.landing`: stable, for machines. */
  id: string
  /** What is promised, for people. */
  sentence: string
  /**
   * Checks that have to be proved before, by the name under which `run` receives what they found. Without them this
   * check cannot be tried.
   */
  needs: CheckReferences
  /** Checks that have to have ended before. `run` receives what they found, if they did. */
  uses: CheckReferences
  /** Ids of further checks that have to have ended before; those that are not part of the run do not count. */
  after: readonly string[]
  /** @throws {Missing} if something is not there that it needs. Anything else thrown means that it failed. */
  run(context: Context, found: Readonly<Record<string, unknown>>): Promise<Observation<Found>>
}

/** Earlier checks by name. */
export type CheckReferences = Readonly<Record<string, Check<never>>>

/** What earlier checks found, by the same names. */
export type FoundBy<References extends CheckReferences> = {
  readonly [Name in keyof References]: References[Name] extends Check<never, infer Found> ? Found : never
}

/** A check as it is written down: `run` receives exactly what the checks in `needs` and `uses` return. */
export interface CheckDefinition<
  Context,
  Found,
  Needs extends CheckReferences,
  Uses extends CheckReferences,
> {
  id: string
  sentence: string
  needs?: Needs
  uses?: Uses
  after?: readonly string[]
  run(context: Context, found: FoundBy<Needs> & Partial<FoundBy<Uses>>): Promise<Observation<Found>>
}

type NoReferences = Readonly<Record<never, never>>

/** Returns the check of a definition. */
export function defineCheck<
  Context,
  Found,
  Needs extends CheckReferences = NoReferences,
  Uses extends CheckReferences = NoReferences,
>(definition: CheckDefinition<Context, Found, Needs, Uses>): Check<Context, Found> {
  const { id, sentence, needs = {}, uses = {}, after = [] } = definition
  // The cast is safe: the runner passes what the checks under these names returned, which their types describe.
  return { id, sentence, needs, uses, after, run: definition.run as Check<Context, Found>['run'] }
}

/** What a check saw, and what it found for those after it. */
export type Observation<Found = void> = Holds<Found> | Broken

/** The sentence of the check holds. */
export interface Holds<Found> {
  holds: true
  /** What was there, in one line. */
  seen: string
  /** What later checks receive. */
  found: Found
}

/** The sentence of the check does not hold. */
export interface Broken {
  holds: false
  /** What was there, in one line. */
  seen: string
  /** What should have been there instead. */
  reason: string
}

/** Returns the observation that the sentence holds. @param found for the checks that need this one. */
export function holds(seen: string): Holds<void>
export function holds<Found>(seen: string, found: Found): Holds<Found>
export function holds(seen: string, found?: unknown): Holds<unknown> {
  return { holds: true, seen, found }
}

/** Returns the observation that the sentence does not hold. @param reason completes "✗ … : <seen>; <reason>". */
export function broken(seen: string, reason: string): Broken {
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
 * - `not asked`: the caller did not ask for it, or it cannot be tried from here.
 */
export type Verdict = 'proved' | 'failed' | 'missing' | 'not run' | 'not asked'

/** What came of one check, for the report. */
export interface CheckResult {
  id: string
  sentence: string
  verdict: Verdict
  /** What was seen; empty if it was not tried. */
  seen: string
  /** Why it is not proved; empty if it is. */
  reason: string
  seconds: number
}

/**
 * Returns the exit code of a run: 0 if everything that was asked is proved, 1 if a check failed, 3 if something that
 * was needed is missing, since a check that did not run proves nothing.
 */
export function exitCodeOf(results: readonly CheckResult[]): 0 | 1 | 3 {
  const some = (verdict: Verdict) => results.some((result) => result.verdict === verdict)
  if (some('failed')) return 1
  return some('missing') || some('not run') || !some('proved') ? 3 : 0
}
