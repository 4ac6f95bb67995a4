import type { StoreCredentials } from '../../compose/servers/running-store.ts'
import { ServerStartError } from '../../compose/servers/server-process.ts'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import type { YamlMapping } from '../config/yaml.ts'
import type { Deployment, Launch, RunningServer, ServerName } from './deployment.ts'
import type { Evidence } from './evidence.ts'
import { type KeyForm, lokiKeyForms } from './formats/loki-keys.ts'
import { tempoKeyForms } from './formats/tempo-keys.ts'
import type { Marker } from './marker.ts'
import type { Listing } from './store/bucket-listing.ts'
import type { Canary } from './store/canary.ts'
import type { Territory } from './store/containment.ts'
import { defaultWaits, type Waits } from './waits.ts'

/** What the checks of one server are tried on, and what they have found so far for those after them. */
export interface Scene {
  readonly server: ServerName
  /** As people call it. */
  readonly title: string
  readonly bucket: string
  /** Where the server has to stay, with a slash at its end. */
  readonly prefix: string
  /** All objects of the bucket. */
  readonly objects: ObjectStore
  readonly marker: Marker
  /** Folder of the tenant's objects below the prefix. */
  readonly tenant: string
  /** X-Scope-OrgID, where several tenants are told apart. */
  readonly orgId: string | undefined
  /** Every prefix below which the proof may find something new; the one that is proved comes first. */
  readonly ownPrefixes: readonly string[]
  /** What may lie below those. */
  readonly forms: readonly KeyForm[]
  /** Places in this bucket where others may write meanwhile. */
  readonly neighbours: readonly Territory[]
  readonly evidence: Evidence
  readonly waits: Waits
  readonly signal: AbortSignal
  /** What was in the bucket before anything of this proof's. */
  before?: Listing
  canary?: Canary
}

/** A scene whose server the checks start themselves. */
export interface OwnScene extends Scene {
  readonly deployment: Deployment
  /** Of the configuration that is proved. */
  readonly variants: readonly string[]
  readonly mischief: Mischief
}

/** What a self-test does wrong on purpose, so that a check has something to find. Nobody else sets any of it. */
export interface Mischief {
  /** Breaks the configuration of a launch, by its name. */
  alter?: (config: YamlMapping, name: string) => YamlMapping
  /** The server that wrote is killed where it should be stopped. */
  killsWriter?: true
  /** The server that reads gets the disk of the one that wrote. */
  warmDisk?: true
  /** Checks that are left out, by id: what a self-test is not about. Nothing that is tried may need them. */
  skips?: readonly string[]
  /** Done just before the check of that id. */
  before?: Readonly<Record<string, (scene: OwnScene) => Promise<void>>>
}

/** Uses of prefixes beside the one that is proved, so that what runs side by side stays apart. */
export const sideUses = ['wrong-secret', 'wrong-bucket', 'elsewhere', 'outage', 'upkeep'] as const
export type SideUse = (typeof sideUses)[number]

/** `loki/` → `loki-outage/`: one segment stays one, which is all that one of Loki's clients takes. */
export function sidePrefix({ prefix }: Pick<Scene, 'prefix'>, use: SideUse): string {
  return `${prefix.slice(0, -1)}-${use}/`
}

/** The prefix that is proved and those beside it: all that servers of one proof write below. */
export function prefixesOfProof(place: Pick<Scene, 'prefix'>): string[] {
  return [place.prefix, ...sideUses.map((use) => sidePrefix(place, use))]
}

/** Where keys of the bucket may be: ours by their forms, others' by their prefix. */
export function territoriesOf({ ownPrefixes, forms, neighbours }: Scene): Territory[] {
  return [...ownPrefixes.map((prefix) => ({ prefix, forms })), ...neighbours]
}

const titles: Record<ServerName, string> = { loki: 'Loki', tempo: 'Tempo' }
/** What the servers call their only tenant. */
const onlyTenants: Record<ServerName, string> = { loki: 'fake', tempo: 'single-tenant' }
const forms: Record<ServerName, readonly KeyForm[]> = { loki: lokiKeyForms, tempo: tempoKeyForms }

export interface SceneParts
  extends Pick<Scene, 'server' | 'objects' | 'marker' | 'evidence' | 'signal' | 'ownPrefixes'> {
  place: { bucket: string; prefix: string }
  neighbours: readonly { bucket: string; prefix: string }[]
  orgId?: string | undefined
  waits?: Partial<Waits> | undefined
}

/** @param parts of them, `neighbours` may lie in other buckets, too; `waits` stand in for the defaults. */
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

export interface LaunchOptions extends Pick<Launch, 'alter' | 'disk' | 'route'> {
  prefix?: string
  bucket?: string
  credentials?: StoreCredentials
  /** Variants beside those of the scene. */
  also?: readonly string[]
}

/** Starts a server of the scene's kind on an empty disk, under the name `<server>-<name>`. */
export function launch(
  scene: OwnScene,
  name: string,
  { also = [], alter, ...options }: LaunchOptions = {},
): Promise<RunningServer> {
  const { server, bucket, prefix, variants, mischief } = scene
  const fullName = `${server}-${name}`
  return scene.deployment.start({
    server,
    name: fullName,
    bucket,
    prefix,
    variants: [...variants, ...also],
    ...options,
    alter(config) {
      const altered = alter?.(config) ?? config
      return mischief.alter?.(altered, fullName) ?? altered
    },
  })
}

/**
 * Starts a server that should not start.
 *
 * @returns what it said before it ended, or `null` if it became ready; it is ended then.
 */
export async function launchInVain(
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

/** What an earlier check has found; a check that needs it has that one among its `needs`. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a check did not leave what another one needs')
  return value
}
