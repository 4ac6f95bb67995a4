import { startToxiproxy, type ToxiProxy } from '../../../compose/servers/toxiproxy.ts'
import { withProgress } from '../../../service/cli/progress.ts'
import { type Caller, callerOf } from '../service/caller.ts'
import { type ServiceForTests, type SpawnedService, serviceInChild } from '../service/service-for-tests.ts'
import type { StoreForTests } from '../stores/service-key.ts'
import { storeForTests } from '../stores/store.ts'

/** One replica: a process of `service/main.ts` with a proxy of its own in front of the store. */
export interface Replica {
  name: string
  /** Calls whichever process runs now, with a good token: tenant `acme`, all scopes, subject `alice`. */
  call: Caller
  /** The same for another subject. */
  callAs(subject: string): Caller
  /** Between this replica and the store. */
  proxy: ToxiProxy
  /** The process that runs now, or ran last. */
  service(): SpawnedService
  /** False while a load balancer would send it no more requests. */
  inRotation: boolean
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again after {@link kill}, at another address. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Replicas of the service that share a bucket, an issuer and a secret. */
export interface Replicas {
  all: readonly Replica[]
  /** Those that are in rotation. */
  taking(): Replica[]
  /** The first one as it was started: its bucket from outside, by the owner's key and without a proxy. */
  outside: ServiceForTests
  stop(): Promise<void>
}

/** Starts `count` replicas. @param store default: the shared one of all tests. */
export async function startReplicas(count: number, store?: StoreForTests): Promise<Replicas> {
  const real = store ?? (await storeForTests())
  const toxiproxy = await withProgress('building toxiproxy', (onProgress) => startToxiproxy({ onProgress }))
  const stops: (() => Promise<void>)[] = [() => toxiproxy.stop()]
  const stop = async () => {
    for (let next = stops.pop(); next !== undefined; next = stops.pop()) await next()
  }
  try {
    const all: Replica[] = []
    let outside: SpawnedService | undefined
    for (let at = 1; at <= count; at += 1) {
      const proxy = await toxiproxy.addProxy(`replica-${at}`, new URL(real.endpoint).host)
      const replica = await startReplica(real, proxy, outside)
      outside ??= replica.service()
      stops.push(replica.stop)
      all.push(replica)
    }
    if (outside === undefined) throw new Error('there is no replica')
    return { all, taking: () => all.filter(({ inRotation }) => inRotation), outside, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startReplica(
  store: StoreForTests,
  proxy: ToxiProxy,
  replicaOf: SpawnedService | undefined,
): Promise<Replica> {
  // So few connections that one which is never given back is missed.
  const env = { S3_ENDPOINT: `http://${proxy.host}`, S3_CONNECTIONS_MAX: '16' }
  const first = await serviceInChild({ store, env, ...(replicaOf ? { replicaOf } : {}) })
  const started = [first]
  const service = () => started.at(-1) ?? first
  // A token of its own for each call: none of them expires during a long run.
  const callAs =
    (sub: string): Caller =>
    async (path, call) =>
      (await callerOf(service(), await service().token({ sub })))(path, call)
  return {
    name: proxy.name,
    proxy,
    service,
    inRotation: true,
    call: callAs('alice'),
    callAs,
    kill: () => service().process.kill(),
    async start() {
      started.push(await serviceInChild({ store, env, replicaOf: replicaOf ?? first }))
    },
    async stop() {
      // The first one of all, which is the last to stop, also stops what they share.
      for (let next = started.pop(); next !== undefined; next = started.pop()) await next.stop()
    },
  }
}
