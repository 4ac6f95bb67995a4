import { joinChecksOf } from './checks/join-checks.ts'
import * as loki from './checks/loki-main.ts'
import * as lokiRefusals from './checks/loki-refusals.ts'
import * as lokiUpkeep from './checks/loki-upkeep.ts'
import { outsideJoinChecks, outsideLokiChecks, outsideTempoChecks } from './checks/outside-checks.ts'
import type { ProofCheck, ProofFacts } from './checks/proof-check.ts'
import * as tempo from './checks/tempo-main.ts'
import * as tempoRefusals from './checks/tempo-refusals.ts'
import { retention as tempoRetention } from './checks/tempo-retention.ts'
import type { ServerName } from './deployment.ts'
import type { Request } from './flags.ts'
import type { OwnScene } from './scene.ts'

/** What is proved of servers that the proof starts, in the order of the report. */
export const ownChecks: Readonly<Record<ServerName, readonly ProofCheck<OwnScene>[]>> = {
  loki: [
    loki.preflight,
    loki.start,
    loki.landing,
    loki.objects,
    loki.index,
    loki.readBack,
    loki.origin,
    lokiRefusals.wrongSecretRefused,
    lokiRefusals.wrongBucketRefused,
    lokiRefusals.nothingElsewhere,
    lokiRefusals.outage,
    lokiUpkeep.retention,
    lokiUpkeep.deletion,
    loki.containment,
    loki.untouched,
  ],
  tempo: [
    tempo.preflight,
    tempo.copy,
    tempo.start,
    tempo.landing,
    tempo.objects,
    tempo.readBack,
    tempo.search,
    tempo.origin,
    tempoRefusals.wrongSecretRefused,
    tempoRefusals.wrongBucketRefused,
    tempoRefusals.nothingElsewhere,
    tempoRefusals.outage,
    tempoRetention,
    tempo.containment,
    tempo.untouched,
  ],
}

/** What is proved of servers that run already. */
export const outsideChecks = { loki: outsideLokiChecks, tempo: outsideTempoChecks }

/** What is proved of Loki and Tempo together. */
export const joinChecks = {
  own: joinChecksOf({ loki: loki.readBack, tempo: tempo.readBack }),
  outside: outsideJoinChecks,
}

/** Returns the checks that a command line asks for, in the order of the report. */
export function checksOf({ servers, flags }: Pick<Request, 'servers' | 'flags'>): ProofFacts[] {
  const isOutside = flags.against !== undefined
  const lists: Readonly<Record<ServerName, readonly ProofFacts[]>> = isOutside ? outsideChecks : ownChecks
  const join: readonly ProofFacts[] = isOutside ? joinChecks.outside : joinChecks.own
  return [...servers.flatMap((server) => lists[server]), ...(servers.length > 1 ? join : [])].filter(
    ({ part }) => part !== 'all' || flags.all,
  )
}
