import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import {
  type Deployment,
  type Launch,
  type RunningServer,
  type ServerName,
  serverNames,
} from '../../../observability/proof/deployment.ts'
import { evidenceIn } from '../../../observability/proof/evidence.ts'
import { ownProof } from '../../../observability/proof/proof.ts'
import type { Mischief } from '../../../observability/proof/scene.ts'
import { openNativeDeployment } from '../../../observability/proof/servers/native-deployment.ts'
import type { Waits } from '../../../observability/proof/waits.ts'
import { runChecks } from '../../../service/cli/checks/run-checks.ts'
import { freshBucket } from '../stores/bucket.ts'

/** One thing that is wrong (or nothing), and with which server. */
export interface BrokenCase extends Mischief {
  store: StoreConnection
  /** Both: with what joins them. */
  server: ServerName | 'both'
  /** Default: the server's name. */
  prefix?: string
  /** Default: those that are recommended. */
  variants?: readonly string[]
  part?: 'default' | 'all'
  waits?: Partial<Waits>
  /** Wraps how the servers are run. */
  wrap?: (deployment: Deployment) => Deployment
}

/** What a proof made of it: ids of checks by what came of them, and what was said of those that failed. */
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

/** Runs the proof in a bucket of its own, with something wrong in it; refusals are left out unless asked for. */
export async function proveBroken({
  store,
  server,
  variants,
  prefix,
  part = 'default',
  waits,
  wrap = (deployment) => deployment,
  ...mischief
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
  const proof = ownProof({
    deployment: wrap(deployment),
    places: Object.fromEntries(places),
    part,
    evidence: evidenceIn(folder),
    signal: new AbortController().signal,
    waits: { landing: 40, ...waits },
    mischief: { skips: refusals(servers), ...mischief },
  })
  try {
    const results = await runChecks(proof.checks)
    const idsWith = (verdict: string) =>
      results.filter((result) => result.verdict === verdict).map(({ id }) => id)
    const failed = results.filter(({ verdict }) => verdict === 'failed')
    // Where another check fails than should, here is why.
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
    await rm(folder, { recursive: true })
  }
}

/** @returns with what the servers that it starts will have said of writes that failed, and which they try again. */
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
