import type { Check } from '../../service/cli/checks/check.ts'
import type { PlannedCheck } from '../../service/cli/checks/run-checks.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import type { JoinScene } from './checks/join-checks.ts'
import { lokiChecks } from './checks/loki-checks.ts'
import {
  type OutsideScene,
  outsideJoinChecks,
  outsideLokiChecks,
  outsideTempoChecks,
} from './checks/outside-checks.ts'
import { tempoChecks } from './checks/tempo-checks.ts'
import { type ServerName, type StoreAccess, serverNames } from './deployment.ts'
import type { Evidence } from './evidence.ts'
import { newMarker } from './marker.ts'
import type { Proof } from './proof.ts'
import { newScene } from './scene.ts'
import type { Waits } from './waits.ts'

/** A server that runs already. */
export interface RunningPlace {
  bucket: string
  /** Ends with a slash. */
  prefix: string
  url: string
  otlpUrl: string
}

export interface AgainstOptions {
  places: Partial<Record<ServerName, RunningPlace>>
  /** Read only. */
  store: StoreAccess
  /** Tenant, where several are told apart. */
  orgId?: string | undefined
  evidence: Evidence
  signal: AbortSignal
  others: readonly { bucket: string; prefix: string }[]
  waits?: Partial<Waits>
}

/** The proof of servers that run already: writes its marker there, and else only looks. */
export function againstProof(options: AgainstOptions): Proof {
  const { places, store, orgId, others } = options
  const marker = newMarker()
  const scenes = serverNames.flatMap((server): (OutsideScene & { close(): void })[] => {
    const place = places[server]
    if (place === undefined) return []
    const objects = createS3ObjectStore({ ...store, bucket: place.bucket, connectionsMax: 16 })
    const neighbours = [...others, ...Object.values(places).filter((other) => other !== place)]
    const ownPrefixes = [place.prefix]
    const scene = newScene({ ...options, server, place, objects, marker, ownPrefixes, neighbours })
    return [{ ...scene, url: place.url, otlpUrl: place.otlpUrl, close: () => objects.close() }]
  })
  const join: JoinScene = {
    marker,
    orgId,
    loki: () => places.loki?.url ?? '',
    tempo: () => places.tempo?.url ?? '',
  }
  const lists = { loki: outsideLokiChecks, tempo: outsideTempoChecks }
  const joinNotAsked = scenes.length < 2 ? 'it takes both, Loki and Tempo' : undefined
  return {
    checks: [
      ...scenes.flatMap((scene) => [
        ...lists[scene.server].map((check) => asPlanned(check, scene)),
        ...notAsked(scene.server),
      ]),
      ...outsideJoinChecks.map((check) => asPlanned(check, join, joinNotAsked)),
    ],
    async close() {
      for (const scene of scenes) scene.close()
      return []
    },
  }
}

function asPlanned<S>({ run, ...check }: Check<S>, scene: S, reason?: string): PlannedCheck {
  const needs = reason === undefined ? check.needs : []
  return { ...check, needs, notAsked: reason, run: () => run(scene) }
}

/** Said plainly, so that nobody takes the shorter proof for the whole. */
function notAsked(server: ServerName): PlannedCheck[] {
  const checks: readonly Pick<Check<unknown>, 'id' | 'sentence' | 'notOutside'>[] =
    server === 'loki' ? lokiChecks : tempoChecks
  return checks
    .filter(({ notOutside }) => notOutside !== undefined)
    .map(({ id, sentence, notOutside }) => ({
      id,
      sentence,
      needs: [],
      notAsked: notOutside,
      run: () => Promise.reject(new Error('not asked')),
    }))
}
