import { redactText } from '../../telemetry/redaction.ts'
import { type Check, type CheckResult, Missing, type Observation } from './check.ts'

/** A check together with what it is tried on. */
export interface PlannedCheck extends Omit<Check<unknown>, 'run' | 'part' | 'notOutside'> {
  run: () => Promise<Observation>
  /** Completes "not asked: …"; then it is not tried. */
  notAsked?: string | undefined
}

export interface RunOptions {
  /** Once it aborts, nothing more is tried, and what a check throws is the interruption's and no verdict. */
  signal?: AbortSignal
  /** Told when a check begins. */
  onStart?: (check: PlannedCheck) => void
  /** Told when a check has ended, in the order in which they do. */
  onEnd?: (result: CheckResult) => void
  /** Told what a check has thrown, for whoever looks into it: the result has the message alone. */
  onThrown?: (id: string, thrown: unknown) => void
}

/**
 * Tries every check as soon as those before it have ended, so that what does not depend on each other runs side
 * by side. A check whose `needs` were not all proved is not tried.
 *
 * @returns one result for each, in the order of `checks`.
 * @throws {Error} if an id stands twice, a need is not among them, or they wait for each other in a circle.
 */
export function runChecks(checks: readonly PlannedCheck[], options: RunOptions = {}): Promise<CheckResult[]> {
  refuseBadPlan(checks)
  const results = new Map<string, Promise<CheckResult>>()
  const ended = async (check: PlannedCheck) => {
    const ids = [...check.needs, ...(check.after ?? [])]
    const before = new Map<string, CheckResult>()
    for (const id of ids) {
      const earlier = results.get(id)
      if (earlier !== undefined) before.set(id, await earlier)
    }
    const result = await tried(check, before, options)
    options.onEnd?.(result)
    return result
  }
  // Everybody's promise has to be there before the first one looks for another's.
  const start = Promise.withResolvers<void>()
  for (const check of checks)
    results.set(
      check.id,
      start.promise.then(() => ended(check)),
    )
  start.resolve()
  return Promise.all(results.values())
}

async function tried(
  check: PlannedCheck,
  before: ReadonlyMap<string, CheckResult>,
  options: RunOptions,
): Promise<CheckResult> {
  const { signal, onStart } = options
  const { id, sentence, needs, notAsked } = check
  const untried = { id, sentence, seen: '', seconds: 0 }
  if (notAsked !== undefined) return { ...untried, verdict: 'not asked', reason: notAsked }
  const lacking = needs.filter((need) => before.get(need)?.verdict !== 'proved')
  if (lacking.length > 0) {
    return { ...untried, verdict: 'not run', reason: `needs ${lacking.join(' and ')}` }
  }
  if (signal?.aborted) return { ...untried, verdict: 'not run', reason: 'interrupted' }
  onStart?.(check)
  const started = performance.now()
  const outcome = await outcomeOf(check, options)
  return { id, sentence, ...outcome, seconds: (performance.now() - started) / 1000 }
}

async function outcomeOf(
  check: PlannedCheck,
  { signal, onThrown }: RunOptions,
): Promise<Pick<CheckResult, 'verdict' | 'seen' | 'reason'>> {
  try {
    const { holds, seen, reason = '' } = await check.run()
    // Both may quote what a server said.
    return { verdict: holds ? 'proved' : 'failed', seen: redactText(seen), reason: redactText(reason) }
  } catch (error) {
    if (signal?.aborted) return { verdict: 'not run', seen: '', reason: 'interrupted' }
    onThrown?.(check.id, error)
    const reason = redactText(error instanceof Error ? error.message : String(error))
    return { verdict: error instanceof Missing ? 'missing' : 'failed', seen: '', reason }
  }
}

function refuseBadPlan(checks: readonly PlannedCheck[]): void {
  const known = new Map(checks.map((check) => [check.id, check]))
  if (known.size < checks.length) throw new Error('two checks have the same id')
  for (const { id, needs } of checks) {
    const strangers = needs.filter((need) => !known.has(need))
    if (strangers.length > 0) throw new Error(`${id} needs ${strangers.join(', ')}, which is not in the plan`)
  }
  const done = new Set<string>()
  const visit = (id: string, path: readonly string[]) => {
    if (path.includes(id)) throw new Error(`checks wait for each other: ${[...path, id].join(' → ')}`)
    const check = known.get(id)
    if (check === undefined || done.has(id)) return
    for (const earlier of [...check.needs, ...(check.after ?? [])]) visit(earlier, [...path, id])
    done.add(id)
  }
  for (const id of known.keys()) visit(id, [])
}
