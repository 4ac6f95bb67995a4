import type { Check } from '../../service/cli/checks/check.ts'
import type { PlannedCheck } from '../../service/cli/checks/run-checks.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import { type JoinScene, joinChecks } from './checks/join-checks.ts'
import { lokiChecks } from './checks/loki-checks.ts'
import type { LokiScene } from './checks/loki-scene.ts'
import { removeOwn } from './checks/store-checks.ts'
import { tempoChecks } from './checks/tempo-checks.ts'
import type { TempoScene } from './checks/tempo-scene.ts'
import { type Deployment, type ServerName, serverNames } from './deployment.ts'
import type { Evidence } from './evidence.ts'
import { type Marker, newMarker } from './marker.ts'
import { found, type Mischief, newScene, type OwnScene, prefixesOfProof } from './scene.ts'
import { canaryFolder } from './store/canary.ts'
import type { Waits } from './waits.ts'

/** Where a server keeps its objects, and by which of its variants. */
export interface ServerPlace {
  bucket: string
  /** Ends with a slash. */
  prefix: string
  variants: readonly string[]
}

export interface ProofOptions {
  deployment: Deployment
  /** What is to be proved: one of them, or both. */
  places: Partial<Record<ServerName, ServerPlace>>
  /** `all`: outage, retention and deletion, too. */
  part: 'default' | 'all'
  evidence: Evidence
  signal: AbortSignal
  /** Places in those buckets that are somebody else's, such as the documents'. */
  others?: readonly { bucket: string; prefix: string }[]
  waits?: Partial<Waits>
  /** For self-tests alone. */
  mischief?: Mischief
}

export interface Proof {
  checks: PlannedCheck[]
  /** Ends the servers and removes what they wrote. @returns keys that would not go, as `removeOwn` tells them. */
  close(): Promise<string[]>
}

/** The proof with servers of its own: what is tried, and on what. Nothing is started before the first check. */
export function ownProof(options: ProofOptions): Proof {
  const { places, deployment } = options
  const marker = newMarker()
  const loki: Closable<LokiScene> | null =
    places.loki === undefined ? null : sceneOf(options, 'loki', places.loki, marker)
  const tempo: Closable<TempoScene> | null =
    places.tempo === undefined ? null : sceneOf(options, 'tempo', places.tempo, marker)
  const join: JoinScene = {
    marker,
    orgId: undefined,
    loki: () => found(loki?.reader).url,
    tempo: () => found(tempo?.reader).url,
  }
  const scenes = [loki, tempo].filter((scene) => scene !== null)
  return {
    checks: [
      ...(loki === null ? [] : planned(lokiChecks, loki, options)),
      ...(tempo === null ? [] : planned(tempoChecks, tempo, options)),
      ...planned(joinChecks, join, options, scenes.length < 2 ? 'it takes both, Loki and Tempo' : undefined),
    ],
    async close() {
      await deployment.close()
      const left = deployment.hasOwnStore ? [] : await Promise.all(scenes.map(removeOwn))
      for (const { objects } of scenes) objects.close()
      return left.flat()
    },
  }
}

function planned<S>(
  checks: readonly Check<S>[],
  scene: S,
  { part, mischief }: ProofOptions,
  notAsked?: string,
): PlannedCheck[] {
  const { before = {}, skips = [] } = mischief ?? {}
  return checks
    .filter((check) => (part === 'all' || check.part === 'default') && !skips.includes(check.id))
    .map(({ id, sentence, needs, after, run }) => ({
      id,
      sentence,
      needs: notAsked === undefined ? needs : [],
      ...(after === undefined ? {} : { after }),
      notAsked,
      async run() {
        await before[id]?.(scene as OwnScene)
        return run(scene)
      },
    }))
}

/** A scene on a bucket whose connections have to be closed. */
type Closable<S> = S & { objects: { close(): void } }

function sceneOf(
  { deployment, evidence, signal, waits, mischief, places, others = [] }: ProofOptions,
  server: ServerName,
  place: ServerPlace,
  marker: Marker,
): Closable<OwnScene> {
  const objects = createS3ObjectStore({ ...deployment.store, bucket: place.bucket, connectionsMax: 16 })
  const proved = serverNames
    .filter((other) => other !== server)
    .flatMap((other) => traces(other, places[other], marker))
  const parts = { server, place, objects, marker, evidence, signal, waits }
  const scene = newScene({
    ...parts,
    ownPrefixes: prefixesOfProof(place),
    neighbours: [...others, ...proved],
  })
  return { ...scene, objects, deployment, variants: place.variants, mischief: mischief ?? {} }
}

/** Where the proof of the other server writes, should it have the same bucket. */
function traces(server: ServerName, place: ServerPlace | undefined, marker: Marker) {
  if (place === undefined) return []
  const prefixes = [...prefixesOfProof(place), canaryFolder(marker, server)]
  return prefixes.map((prefix) => ({ bucket: place.bucket, prefix }))
}
