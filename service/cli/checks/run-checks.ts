import { redactText } from '../../telemetry/redaction.ts'
import { type Check, type CheckReferences, type CheckResult, Missing, type Observation } from './check.ts'

/** A check together with what it is tried on. */
export interface PlannedCheck {
  id: string
  sentence: string
  /** Ids of checks that have to be proved before. */
  needs: readonly string[]
  /** Ids of checks that have to have ended before, whatever came of them. */
  after: readonly string[]
  /** Completes "not asked: …"; the check is then not tried. */
  notAsked?: string | undefined
  /** @param foundBy what the check of that id returned; `undefined` if it was not proved. */
  run(foundBy: (id: string) => unknown): Promise<Observation<unknown>>
}

export interface RunOptions {
  /** Once it aborts, nothing more is tried, and what a check throws counts as the interruption and not as a verdict. */
  signal?: AbortSignal
  /** Called when a check begins. */
  onStart?: (check: PlannedCheck) => void
  /** Called when a check has ended, in the order in which they end. */
  onEnd?: (result: CheckResult) => void
  /** Called with what a check has thrown, for debugging: the result holds the message alone. */
  onThrown?: (id: string, thrown: unknown) => void
}

/** Returns the plan to try a check on `context`. @param notAsked why it is not tried; it then needs no other check. */
export function planned<Context>(
  { id, sentence, needs, uses, after, run }: Check<Context>,
  context: Context,
  notAsked?: string,
): PlannedCheck {
  const idsOf = (references: CheckReferences) => Object.values(references).map((check) => check.id)
  return {
    id,
    sentence,
    needs: notAsked === undefined ? idsOf(needs) : [],
    after: [...idsOf(uses), ...after],
    notAsked,
    run(foundBy) {
      const references = Object.entries({ ...uses, ...needs })
      return run(context, Object.fromEntries(references.map(([name, check]) => [name, foundBy(check.id)])))
    },
  }
}

/**
 * Tries every check as soon as those before it have ended, so that independent checks run concurrently. A check whose
 * `needs` were not all proved is not tried.
 *
 * @returns one result for each check, in the order of `checks`.
 * @throws {Error} if two checks have the same id, a need is not in the plan, or checks wait for each other in a circle.
 */
export function runChecks(checks: readonly PlannedCheck[], options: RunOptions = {}): Promise<CheckResult[]> {
  refuseBadPlan(checks)
  const ends = new Map<string, Promise<CheckResult>>()
  const results = new Map<string, CheckResult>()
  const found = new Map<string, unknown>()
  const ended = async (check: PlannedCheck) => {
    for (const id of [...check.needs, ...check.after]) await ends.get(id)
    const lacking = check.needs.filter((id) => results.get(id)?.verdict !== 'proved')
    const result = await tried(check, lacking, options, found)
    results.set(check.id, result)
    options.onEnd?.(result)
    return result
  }
  // Every promise has to exist before the first check waits for another one.
  const start = Promise.withResolvers<void>()
  for (const check of checks) {
    const end = start.promise.then(() => ended(check))
    ends.set(check.id, end)
  }
  start.resolve()
  return Promise.all(ends.values())
}

/** @param lacking ids of needs that were not proved. @param found receives what the check returns, if it holds. */
async function tried(
  check: PlannedCheck,
  lacking: readonly string[],
  { signal, onStart, onThrown }: RunOptions,
  found: Map<string, unknown>,
): Promise<CheckResult> {
  const { id, sentence, notAsked } = check
  const untried = { id, sentence, seen: '', seconds: 0 }
  if (notAsked !== undefined) return { ...untried, verdict: 'not asked', reason: notAsked }
  if (lacking.length > 0) return { ...untried, verdict: 'not run', reason: `needs ${lacking.join(' and ')}` }
  if (signal?.aborted) return { ...untried, verdict: 'not run', reason: 'interrupted' }
  onStart?.(check)
  const started = performance.now()
  const end = (verdict: CheckResult['verdict'], seen: string, reason: string): CheckResult => {
    const seconds = (performance.now() - started) / 1000
    // Both may quote what a server said.
    return { id, sentence, verdict, seen: redactText(seen), reason: redactText(reason), seconds }
  }
  try {
    const observation = await check.run((other) => found.get(other))
    if (!observation.holds) return end('failed', observation.seen, observation.reason)
    found.set(id, observation.found)
    return end('proved', observation.seen, '')
  } catch (error) {
    if (signal?.aborted) return end('not run', '', 'interrupted')
    onThrown?.(id, error)
    const reason = error instanceof Error ? error.message : String(error)
    return end(error instanceof Missing ? 'missing' : 'failed', '', reason)
  }
}

function refuseBadPlan(checks: readonly PlannedCheck[]): void {
  const known = new Map(checks.map((check) => [check.id, check]))
  if (known.size < checks.length) throw new Error('two checks have the same id')
  for (const { id, needs } of checks) {
    const absent = needs.filter((need) => !known.has(need))
    if (absent.length > 0) throw new Error(`${id} needs ${absent.join(', ')}, which is not in the plan`)
  }
  const done = new Set<string>()
  const visit = (id: string, path: readonly string[]) => {
    if (path.includes(id)) throw new Error(`checks wait for each other: ${[...path, id].join(' → ')}`)
    const check = known.get(id)
    if (check === undefined || done.has(id)) return
    for (const earlier of [...check.needs, ...check.after]) visit(earlier, [...path, id])
    done.add(id)
  }
  for (const id of known.keys()) visit(id, [])
}
