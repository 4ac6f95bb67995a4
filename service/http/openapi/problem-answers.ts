import type { ProblemCode } from '../../wire/problems.ts'
import { byStatus, problemAnswer } from './problems.ts'
import type { Answered, JsonSchema, Reference } from './types.ts'

/** Collects problem answers, so that those which many operations share are said once. */
export interface ProblemAnswers {
  /** References by status, for `responses` of an operation. */
  describe(codes: readonly ProblemCode[]): Record<string, Reference>
  /** `components.responses`: what was referred to so far. */
  named(): Record<string, Answered>
}

export function createProblemAnswers(problem: JsonSchema): ProblemAnswers {
  const components: Record<string, Answered> = {}
  return {
    describe(codes) {
      const references = byStatus(codes).map(([status, ofStatus]): [string, Reference] => {
        const name = [status, ...ofStatus.toSorted()].join('.')
        components[name] ??= problemAnswer(status, ofStatus, problem)
        return [String(status), { $ref: `#/components/responses/${name}` }]
      })
      return Object.fromEntries(references)
    },
    named: () => components,
  }
}
