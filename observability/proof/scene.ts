import type { StoreCredentials } from '../../compose/servers/running-store.ts'
import { ServerStartError } from '../../compose/servers/server-process.ts'
import type { Place } from '../../service/config/checks.ts'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import type { Deployment, Launch, RunningServer, ServerName } from './deployment.ts'
import type { Evidence } from './evidence.ts'
import { type KeyForm, lokiKeyForms } from './formats/loki-keys.ts'
import { tempoKeyForms } from './formats/tempo-keys.ts'
import type { Marker } from './marker.ts'
import type { KeyRange } from './store/containment.ts'

/** What the checks of one server are tried on. What they find, they return. */
export interface Scene {
  readonly server: ServerName
  /** As people call it. */
  readonly title: string
  readonly bucket: string
  /** Where the server has to stay; ends with a slash. */
  readonly prefix: string
  /** All objects of the bucket. */
  readonly objects: ObjectStore
  readonly marker: Marker
  /** Folder of the tenant's objects below the prefix. */
  readonly tenant: string
  /** X-Scope-OrgID, if the deployment tells tenants apart. */
  readonly orgId: string | undefined
  /** Every prefix below which the proof may find something new; the one that is proved comes first. */
  readonly ownPrefixes: readonly string[]
  /** Forms of keys that may lie below those. */
  readonly forms: readonly KeyForm[]
  /** Prefixes in this bucket below which others may write meanwhile. */
  readonly neighbours: readonly KeyRange[]
  readonly evidence: Evidence
  readonly waits: Waits
  readonly signal: AbortSignal
}

/** A scene whose server the checks start themselves. */
export interface OwnScene extends Scene {
  readonly deployment: Deployment
  /** Variants of the configuration that is proved. */
  readonly variants: readonly string[]
  /** Registers what has to be removed at the end of the proof. @param remove returns what could not be removed. */
  atEnd(remove: () => Promise<string[]>): void
}

/** How long the checks wait for what should happen; longer means that it did not. In seconds. */
export interface Waits {
  /** From a flush to the object in the bucket: at once, or after the half minute that Tempo waits after a failed write. */
  landing: number
  /** Until a server that cannot reach its store has noticed. */
  refusal: number
  /** From the end of an outage to the objects in the bucket: Loki and Tempo wait half a minute before they try again. */
  recovery: number
  /** Until retention and deletion have removed their objects; measured: one to two minutes. */
  removal: number
}

const defaultWaits: Waits = { landing: 45, refusal: 45, recovery: 150, removal: 300 }

/** Uses of prefixes next to the one that is proved, which keep concurrent checks apart. */
export const sideUses = ['wrong-secret', 'wrong-bucket', 'elsewhere', 'outage', 'upkeep'] as const
export type SideUse = (typeof sideUses)[number]

/** Returns the prefix of a use: `loki/` → `loki-outage/`. One segment stays one, as one of Loki's clients requires. */
export function sidePrefix({ prefix }: Pick<Scene, 'prefix'>, use: SideUse): string {
  return `${prefix.slice(0, -1)}-${use}/`
}

/** Returns the prefix that is proved and those next to it: all that the servers of one proof write below. */
export function prefixesOfProof(place: Pick<Scene, 'prefix'>): string[] {
  return [place.prefix, ...sideUses.map((use) => sidePrefix(place, use))]
}

/** Returns where keys of the bucket may be: the proof's own by their forms, those of others by their prefix. */
export function keyRangesOf({ ownPrefixes, forms, neighbours }: Scene): KeyRange[] {
  return [...ownPrefixes.map((prefix) => ({ prefix, forms })), ...neighbours]
}

const titles: Record<ServerName, string> = { loki: 'Loki', tempo: 'Tempo' }
/** What the servers call their only tenant. */
const onlyTenants: Record<ServerName, string> = { loki: 'fake', tempo: 'single-tenant' }
const forms: Record<ServerName, readonly KeyForm[]> = { loki: lokiKeyForms, tempo: tempoKeyForms }

export interface SceneParts
  extends Pick<Scene, 'server' | 'objects' | 'marker' | 'evidence' | 'signal' | 'ownPrefixes'> {
  place: Place
  /** May lie in other buckets, too. */
  neighbours: readonly Place[]
  orgId?: string | undefined
  /** Replaces the defaults. */
  waits?: Partial<Waits> | undefined
}

/** Returns the scene of one server from its parts. */
export function newScene({ server, place, neighbours, orgId, waits, ...rest }: SceneParts): Scene {
  return {
    ...rest,
    server,
    title: titles[server],
    bucket: place.bucket,
    prefix: place.prefix,
    tenant: orgId ?? onlyTenants[server],
    orgId,
    forms: forms[server],
    neighbours: neighbours
      .filter(({ bucket }) => bucket === place.bucket)
      .map(({ prefix }) => ({ prefix, forms: null })),
    waits: { ...defaultWaits, ...waits },
  }
}

export interface LaunchOptions extends Pick<Launch, 'alter' | 'route'> {
  prefix?: string
  bucket?: string
  credentials?: StoreCredentials
  /** Variants in addition to those of the scene. */
  also?: readonly string[]
}

/** Starts a server of the scene's kind on an empty disk, under the name `<server>-<name>`. */
export function launch(
  { deployment, server, bucket, prefix, variants }: OwnScene,
  name: string,
  { also = [], ...options }: LaunchOptions = {},
): Promise<RunningServer> {
  const fullName = `${server}-${name}`
  return deployment.start({
    ...{ server, name: fullName, bucket, prefix, variants: [...variants, ...also] },
    ...options,
  })
}

/**
 * Starts a server that should not start.
 *
 * @returns what it printed before it ended, or `null` if it became ready; it is then killed.
 */
export async function launchExpectingFailure(
  scene: OwnScene,
  name: string,
  options: LaunchOptions,
): Promise<string | null> {
  try {
    const running = await launch(scene, name, options)
    await running.kill()
    return null
  } catch (error) {
    if (error instanceof ServerStartError) return error.log
    throw error
  }
}
