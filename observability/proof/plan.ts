import type { Check } from '../../service/cli/checks/check.ts'
import { joinChecks } from './checks/join-checks.ts'
import { lokiChecks } from './checks/loki-checks.ts'
import { outsideJoinChecks, outsideLokiChecks, outsideTempoChecks } from './checks/outside-checks.ts'
import { tempoChecks } from './checks/tempo-checks.ts'
import type { Request } from './flags.ts'

/** What a check says of itself, without what it is tried on. */
export type Sentence = Pick<Check<unknown>, 'id' | 'sentence' | 'part' | 'notOutside' | 'needs'>

/** The checks that a command line asks for, in the order of the report. */
export function checksOf({ servers, flags }: Request): Sentence[] {
  const outside = flags.against !== undefined
  const lists: Record<'loki' | 'tempo', readonly Sentence[]> = outside
    ? { loki: outsideLokiChecks, tempo: outsideTempoChecks }
    : { loki: lokiChecks, tempo: tempoChecks }
  const join: readonly Sentence[] = outside ? outsideJoinChecks : joinChecks
  return [...servers.flatMap((server) => lists[server]), ...(servers.length > 1 ? join : [])].filter(
    ({ part }) => part !== 'all' || flags.all,
  )
}
