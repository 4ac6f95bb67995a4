import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { YamlMapping } from '../../../observability/config/yaml.ts'
import {
  type Deployment,
  type Disk,
  type Launch,
  type RunningServer,
  type ServerName,
  serverNames,
} from '../../../observability/proof/deployment.ts'
import { evidenceIn } from '../../../observability/proof/evidence.ts'
import { type Marker, newMarker } from '../../../observability/proof/marker.ts'
import { ownProof } from '../../../observability/proof/proof.ts'
import type { Waits } from '../../../observability/proof/scene.ts'
import { openNativeDeployment } from '../../../observability/proof/servers/native-deployment.ts'
import { type PlannedCheck, runChecks } from '../../../service/cli/checks/run-checks.ts'
import type { ObjectStore } from '../../../service/object-store/object-store.ts'
import { createS3ObjectStore } from '../../../service/object-store/s3/s3-object-store.ts'
import { freshBucket } from '../stores/bucket.ts'

/** What is done wrong on purpose, so that a check has something to find. */
export interface FaultInjection {
  /** Breaks the configuration of a launch, by its name. */
  alter?: (config: YamlMapping, name: string) => YamlMapping
  /** The server that wrote is killed instead of stopped. */
  killsWriter?: true
  /** The server that reads gets the disk of the one that wrote. */
  warmDisk?: true
  /** Checks that are left out, by id, because the test is not about them. No other check may need them. */
  skips?: readonly string[]
  /** Done just before the check of that id. */
  before?: Readonly<Record<string, (bucket: BucketUnderTest) => Promise<void>>>
  /** Decorates the deployment further. */
  wrap?: (deployment: Deployment) => Deployment
}

/** The bucket of a proof, past its servers. */
export interface BucketUnderTest {
  objects: ObjectStore
  marker: Marker
  /** Writes an object of these bytes; default: one byte. */
  put(key: string, bytes?: Uint8Array): Promise<void>
}

/** One fault (or none), and with which server. */
export interface BrokenCase extends FaultInjection {
  store: StoreConnection
  /** `both`: with what joins them. */
  server: ServerName | 'both'
  /** Default: the server's name. */
  prefix?: string
  /** Default: those that are recommended. */
  variants?: readonly string[]
  part?: 'default' | 'all'
  waits?: Partial<Waits>
}

/** What came of a proof: ids of checks by verdict, and what the failed ones reported. */
export interface BrokenProof {
  proved: string[]
  failed: string[]
  notRun: string[]
  said: string
}

function refusals(servers: readonly ServerName[]): string[] {
  return servers.flatMap((name) => [`${name}.wrong-secret`, `${name}.wrong-bucket`])
}

const defaultVariants: Record<ServerName, readonly string[]> = { loki: ['s3-thanos'], tempo: ['s3'] }

/** Runs the proof in a bucket of its own, with a fault in it; refusals are left out unless they are asked for. */
export async function proveBroken({
  store,
  server,
  variants,
  prefix,
  part = 'default',
  waits,
  ...faults
}: BrokenCase): Promise<BrokenProof> {
  const folder = await mkdtemp(join(tmpdir(), 'cloudlysis-broken-'))
  const servers = server === 'both' ? serverNames : [server]
  const place = async (name: ServerName) => ({
    bucket: await freshBucket(store),
    prefix: prefix ?? `${name}/`,
    variants: variants ?? defaultVariants[name],
  })
  const places = await Promise.all(servers.map(async (name) => [name, await place(name)] as const))
  const { deployment, complaints } = listenedTo(await openNativeDeployment({ store, onProgress: () => {} }))
  const marker = newMarker()
  const proof = ownProof({
    deployment: withFaults(deployment, faults),
    places: Object.fromEntries(places),
    part,
    marker,
    evidence: evidenceIn(folder),
    signal: new AbortController().signal,
    waits: { landing: 40, ...waits },
  })
  const [first] = places
  const objects = createS3ObjectStore({ ...store, bucket: first?.[1].bucket ?? '', connectionsMax: 4 })
  const bucket: BucketUnderTest = {
    objects,
    marker,
    async put(key, bytes = Uint8Array.of(1)) {
      await objects.put(key, bytes, { size: bytes.length, contentType: 'application/octet-stream' })
    },
  }
  try {
    const results = await runChecks(
      checksWithFaults(proof.checks, { skips: refusals(servers), ...faults }, bucket),
    )
    const idsWith = (verdict: string) =>
      results.filter((result) => result.verdict === verdict).map(({ id }) => id)
    const failed = results.filter(({ verdict }) => verdict === 'failed')
    // If another check fails than should, here is why.
    for (const { id, seen, reason } of failed)
      console.log(`failed, as it may have to: ${id}: ${seen}; ${reason}`)
    for (const line of await complaints()) console.log(line)
    return {
      proved: idsWith('proved'),
      failed: idsWith('failed'),
      notRun: idsWith('not run'),
      said: failed.map(({ seen, reason }) => `${seen}; ${reason}`).join('\n'),
    }
  } finally {
    await proof.close()
    objects.close()
    await rm(folder, { recursive: true })
  }
}

/** Returns the deployment with the faults that are about its servers. */
function withFaults(
  deployment: Deployment,
  { alter, killsWriter, warmDisk, wrap = (same) => same }: FaultInjection,
): Deployment {
  const disks = new Map<string, Disk>()
  return wrap({
    ...deployment,
    async start(launch) {
      const { server, name } = launch
      const disk = warmDisk && name === `${server}-fresh` ? disks.get(`${server}-main`) : launch.disk
      const running = await deployment.start({
        ...launch,
        disk,
        alter(config) {
          const altered = launch.alter?.(config) ?? config
          return alter?.(altered, name) ?? altered
        },
      })
      disks.set(name, running.disk)
      const stop = () => running.kill().then(() => 'killed' as const)
      return killsWriter && name === `${server}-main` ? { ...running, stop } : running
    },
  })
}

/** Returns the checks with the faults that are about them. */
function checksWithFaults(
  checks: readonly PlannedCheck[],
  { skips = [], before = {} }: FaultInjection,
  bucket: BucketUnderTest,
): PlannedCheck[] {
  return checks
    .filter(({ id }) => !skips.includes(id))
    .map((check) => ({
      ...check,
      async run(foundBy) {
        await before[check.id]?.(bucket)
        return check.run(foundBy)
      },
    }))
}

/** Returns the deployment, and what its servers have logged about writes that failed and that they try again. */
function listenedTo(deployment: Deployment) {
  const started = new Map<string, RunningServer>()
  return {
    deployment: {
      ...deployment,
      async start(launch: Launch) {
        const server = await deployment.start(launch)
        started.set(launch.name, server)
        return server
      },
    },
    async complaints(): Promise<string[]> {
      const logs = [...started].map(async ([name, server]) => {
        const lines = (await server.log())
          .split('\n')
          .filter((line) => /in flushQueue|failed to flush/.test(line))
        return lines.map((line) => `${name}: ${line}`)
      })
      return (await Promise.all(logs)).flat()
    },
  }
}
