import { type PlannedCheck, planned } from '../../service/cli/checks/run-checks.ts'
import type { Place } from '../../service/config/checks.ts'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import { createS3ObjectStore } from '../../service/object-store/s3/s3-object-store.ts'
import type { OutsideScene } from './checks/outside-checks.ts'
import { type Deployment, type ServerName, type StoreAccess, serverNames } from './deployment.ts'
import type { Evidence } from './evidence.ts'
import { type Marker, newMarker } from './marker.ts'
import { joinChecks, outsideChecks, ownChecks } from './plan.ts'
import { newScene, type OwnScene, prefixesOfProof, type Waits } from './scene.ts'
import { canaryFolder } from './store/canary.ts'

/** Where a server keeps its objects, and by which of its variants. */
export interface ServerPlace extends Place {
  variants: readonly string[]
}

/** Where a server that runs already keeps its objects, and its origins. */
export interface RunningPlace extends Place {
  url: string
  otlpUrl: string
}

interface CommonOptions {
  evidence: Evidence
  signal: AbortSignal
  /** Places in those buckets that others use, such as the documents'. */
  others?: readonly Place[]
  waits?: Partial<Waits>
}

export interface ProofOptions extends CommonOptions {
  deployment: Deployment
  /** What is to be proved: one of them, or both. */
  places: Partial<Record<ServerName, ServerPlace>>
  /** `all`: also outage, retention and deletion. */
  part: 'default' | 'all'
  /** What is written and looked for; default: a new one. */
  marker?: Marker
}

export interface AgainstOptions extends CommonOptions {
  places: Partial<Record<ServerName, RunningPlace>>
  /** Read only. */
  store: StoreAccess
  /** Tenant, if the deployment tells several apart. */
  orgId?: string | undefined
}

export interface Proof {
  checks: PlannedCheck[]
  /** Ends the servers and removes what they wrote. @returns keys and prefixes (`loki/…`) that could not be removed. */
  close(): Promise<string[]>
}

const bothNeeded = 'it takes both, Loki and Tempo'

/** Returns the proof with servers of its own. Nothing is started before the first check. */
export function ownProof(options: ProofOptions): Proof {
  const { places, deployment, part, marker = newMarker(), others = [] } = options
  const removals: (() => Promise<string[]>)[] = []
  const { scenes, close } = scenesOf(places, deployment.store, (server, place, objects): OwnScene => {
    const proved = serverNames.filter((other) => other !== server)
    const neighbours = [...others, ...proved.flatMap((other) => placesOfProof(other, places[other], marker))]
    const ownPrefixes = prefixesOfProof(place)
    return {
      ...newScene({ ...options, server, place, objects, marker, ownPrefixes, neighbours }),
      deployment,
      variants: place.variants,
      atEnd: (remove) => void removals.push(remove),
    }
  })
  const checksOf = ({ server }: OwnScene) =>
    ownChecks[server].filter((check) => part === 'all' || check.part === 'default')
  const notAsked = scenes.length < 2 ? bothNeeded : undefined
  return {
    checks: [
      ...scenes.flatMap((scene) => checksOf(scene).map((check) => planned(check, scene))),
      ...joinChecks.own.map((check) => planned(check, { marker, orgId: undefined }, notAsked)),
    ],
    async close() {
      await deployment.close()
      const left = deployment.hasOwnStore ? [] : await Promise.all(removals.map((remove) => remove()))
      close()
      return left.flat()
    },
  }
}

/** Returns where the proof of the other server writes, in case it has the same bucket. */
function placesOfProof(server: ServerName, place: ServerPlace | undefined, marker: Marker): Place[] {
  if (place === undefined) return []
  const prefixes = [...prefixesOfProof(place), canaryFolder(marker, server)]
  return prefixes.map((prefix) => ({ bucket: place.bucket, prefix }))
}

/** Returns the proof of servers that run already: it writes its marker there, and otherwise only looks. */
export function againstProof(options: AgainstOptions): Proof {
  const { places, store, orgId, others = [] } = options
  const marker = newMarker()
  const { scenes, close } = scenesOf(places, store, (server, place, objects): OutsideScene => {
    const neighbours = [...others, ...Object.values(places).filter((other) => other !== place)]
    const ownPrefixes = [place.prefix]
    const scene = newScene({ ...options, server, place, objects, marker, ownPrefixes, neighbours })
    return { ...scene, url: place.url, otlpUrl: place.otlpUrl }
  })
  const notAsked = scenes.length < 2 ? bothNeeded : undefined
  return {
    checks: [
      ...scenes.flatMap((scene) => [
        ...outsideChecks[scene.server].map((check) => planned(check, scene)),
        ...notAskedOf(scene.server),
      ]),
      ...joinChecks.outside.map((check) => planned(check, { marker, orgId }, notAsked)),
    ],
    async close() {
      close()
      return []
    },
  }
}

/** Returns the scene that `build` makes of each place, on a store of its bucket, and closes these stores. */
function scenesOf<P extends Place, S>(
  places: Partial<Record<ServerName, P>>,
  store: StoreAccess,
  build: (server: ServerName, place: P, objects: ObjectStore) => S,
): { scenes: S[]; close(): void } {
  const opened = serverNames.flatMap((server) => {
    const place = places[server]
    if (place === undefined) return []
    const objects = createS3ObjectStore({ ...store, bucket: place.bucket, connectionsMax: 16 })
    return [{ scene: build(server, place, objects), close: () => objects.close() }]
  })
  return {
    scenes: opened.map(({ scene }) => scene),
    close() {
      for (const one of opened) one.close()
    },
  }
}

/** Reported, so that no one takes the shorter proof for the whole. */
function notAskedOf(server: ServerName): PlannedCheck[] {
  return ownChecks[server]
    .filter(({ notOutside }) => notOutside !== undefined)
    .map(({ id, sentence, notOutside }) => ({
      ...{ id, sentence, needs: [], after: [], notAsked: notOutside },
      run: () => Promise.reject(new Error('not asked')),
    }))
}
