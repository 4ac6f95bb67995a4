import { packProxyImage } from '../../compose/proxy/pack-image.ts'
import type { RunningRgw } from '../../compose/servers/ceph-rgw.ts'
import type { ServerTls } from '../../compose/servers/running-store.ts'
import { makeServerTls } from '../../compose/servers/server-tls.ts'
import { packBunImage } from '../../compose/service-image/pack-image.ts'
import { startPrivateRgw } from '../servers/rgw.ts'
import { registerSecret } from '../servers/secrets.ts'
import { type SwarmEngine, startSwarm } from './swarm-engine.ts'

/** What every test of the deployment needs, and none leaves otherwise than it was. */
export interface SwarmServers {
  /** It has the images of the proxy and of Bun alone. */
  engine: SwarmEngine
  /** Behind TLS. */
  rgw: RunningRgw
  /** For `store`, `issuer` and `proxy`, for loopback, and for this machine as containers reach it. */
  tls: ServerTls
}

let shared: Promise<SwarmServers> | undefined

/** They are started once per process, and stopped after the last test of it. */
export function swarmServers(): Promise<SwarmServers> {
  shared ??= start()
  return shared
}

/** Stops what {@link swarmServers} started, if it did; `preload.ts` calls it at the end. */
export async function stopSwarmServers(): Promise<void> {
  const servers = await shared?.catch(() => undefined)
  await servers?.engine.stop()
  await servers?.rgw.stop()
}

async function start(): Promise<SwarmServers> {
  const engine = await startSwarm()
  try {
    const tls = await makeServerTls(['store', 'issuer', 'proxy', engine.hostAddress])
    registerSecret(tls.privateKey.split('\n')[1] ?? '')
    const images = Promise.all([packProxyImage(engine.env, () => {}), packBunImage(engine.env)])
    const [rgw] = await Promise.all([startPrivateRgw({ tls }), images])
    return { engine, rgw, tls }
  } catch (error) {
    await engine.stop()
    throw error
  }
}
