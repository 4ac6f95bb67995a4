import type { RolloutRow } from './use-rollout.ts'

/** How the versions of two tags of a document relate. */
export type Comparison = 'same' | 'differs' | 'from-absent' | 'to-absent' | 'both-absent'

/** Compares where two tags of a document point. */
export function comparisonOf({ tags }: RolloutRow, from: string, to: string): Comparison {
  const [a, b] = [tags.get(from), tags.get(to)]
  if (a === undefined) return b === undefined ? 'both-absent' : 'from-absent'
  if (b === undefined) return 'to-absent'
  return a.digest === b.digest ? 'same' : 'differs'
}

/** Returns whether the two tags are not at the same version: also if only one of them is there. */
export function isDiffering(comparison: Comparison): boolean {
  return comparison !== 'same' && comparison !== 'both-absent'
}
