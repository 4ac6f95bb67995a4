import fc, { type RunDetails } from 'fast-check'
import { replayOf } from '../support/seed.ts'
import { callerOf } from '../support/service/caller.ts'
import type { InProcessService } from '../support/service/service-for-tests.ts'
import { type Sequence, sequences, tenants } from './operations.ts'
import { Difference, runSequence } from './run-sequence.ts'
import type { Replicas } from './service-answers.ts'

/** Tries random sequences on replicas of one service, each on a type of its own. */
export interface SequenceTrials {
  /** @param replicas whichever of them a sequence names. */
  check(
    replicas: readonly InProcessService[],
    parameters: fc.Parameters<[Sequence]>,
  ): Promise<RunDetails<[Sequence]>>
  /** Calls that were made so far. */
  calls(): number
}

/** @param first the service whose bucket all replicas use. */
export function createTrials(first: InProcessService): SequenceTrials {
  let types = 0
  let operations = 0

  async function replicasOf(services: readonly InProcessService[]): Promise<Replicas> {
    const [alice, bob] = await Promise.all(['alice', 'bob'].map((sub) => first.token({ sub, tenants })))
    const callers = await Promise.all(
      services.map(async (service) => ({
        alice: await callerOf(service, alice),
        bob: await callerOf(service, bob),
      })),
    )
    return { callers, store: first.store }
  }

  return {
    calls: () => operations,
    async check(services, parameters) {
      let replicas: Promise<Replicas> | undefined
      const property = fc.asyncProperty(sequences, async (sequence) => {
        types += 1
        operations += sequence.operations.length
        // Tokens live for minutes, and a long run takes an hour.
        if (types % 50 === 0) replicas = undefined
        replicas ??= replicasOf(services)
        await runSequence(await replicas, `t${types}`, sequence)
      })
      return fc.check(property, parameters)
    },
  }
}

/** Tries the one sequence that a path of a failure leads to. */
export function onlyAt(path: string): fc.Parameters<[Sequence]> {
  return { path, numRuns: 1, endOnFailure: true }
}

/**
 * Returns what a person needs to find the fault: the shortest sequence, the first difference, and how to repeat it.
 *
 * @param file `import.meta` of the test file.
 */
export function reportOf(
  file: { path: string },
  { counterexample, counterexamplePath, ...found }: RunDetails<[Sequence]>,
): string {
  if (!found.failed) return 'every answer was as the model says'
  const contents = counterexample?.[0].contents ?? []
  return [
    ...[...contents, ...differenceOf(found.errorInstance).operations].map((each) => JSON.stringify(each)),
    String(found.errorInstance),
    `TEST_PATH=${counterexamplePath} ${replayOf(file, { seed: found.seed })}`,
  ].join('\n')
}

/** @throws the error itself, if it is no {@link Difference}. */
export function differenceOf(error: unknown): Difference {
  if (error instanceof Difference) return error
  throw error
}
