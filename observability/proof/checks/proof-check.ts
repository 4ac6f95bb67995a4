import {
  type Check,
  type CheckDefinition,
  type CheckReferences,
  defineCheck,
  holds,
  type Observation,
} from '../../../service/cli/checks/check.ts'
import type { RunningServer } from '../deployment.ts'

/** What a check of the proof says of itself, for the command line and the README. */
export interface ProofFacts {
  id: string
  sentence: string
  /** `all`: only with `--all`. `outside`: only with `--against`. */
  part: 'default' | 'all' | 'outside'
  /** Completes "not asked: …" with `--against`; absent if a running deployment can be asked. */
  notOutside?: string | undefined
  /** How it fails, as far as it was seen to fail or is known to: what an operator looks at first. */
  failures: string
}

export type ProofCheck<Context, Found = unknown> = Check<Context, Found> & ProofFacts

/** Returns the check of a definition, with what it says of itself. */
export function proofCheck<
  Context,
  Found,
  Needs extends CheckReferences = Readonly<Record<never, never>>,
  Uses extends CheckReferences = Readonly<Record<never, never>>,
>(
  definition: CheckDefinition<Context, Found, Needs, Uses> &
    Omit<ProofFacts, 'part'> & { part?: ProofFacts['part'] },
): ProofCheck<Context, Found> {
  const { part = 'default', notOutside, failures } = definition
  return { ...defineCheck(definition), part, notOutside, failures }
}

/** Why checks that start servers or write are not asked with `--against`. */
export const notOutside = {
  freshProcess: 'a fresh process cannot be started from outside',
  otherProcess: 'a process with another configuration cannot be started from outside',
  writes: 'it would write more than the marker',
}

/** Returns what a check says of itself, for one that proves the same of a running server. */
export function factsOf({ id, sentence, part, failures }: ProofFacts): ProofFacts {
  return { id, sentence, part, failures }
}

/** Returns the observation with `found` for later checks, if it holds. */
export function finding<Found>(observation: Observation, found: Found): Observation<Found> {
  return observation.holds ? holds(observation.seen, found) : observation
}

/** Returns what `look` observes of a server; stops it unless that holds, since no later check uses it then. */
export async function observeOrStop<Found>(
  server: RunningServer,
  look: () => Promise<Observation<Found>>,
): Promise<Observation<Found>> {
  try {
    const observation = await look()
    if (!observation.holds) await server.stop()
    return observation
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** The first line of a report: whether a run has what it needs. */
export const setupFacts: ProofFacts = {
  id: 'setup',
  sentence: 'The store, and what runs the servers, are there',
  part: 'default',
  failures:
    'No Go toolchain or Docker Engine, a configured store without the bucket variables, a store that does not start',
}
