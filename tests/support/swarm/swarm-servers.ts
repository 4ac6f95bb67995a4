import { packBunImage } from '../../../compose/images/service/pack-image.ts'
import type { RunningRgw } from '../../../compose/servers/ceph-rgw.ts'
import type { ServerTls } from '../../../compose/servers/running-store.ts'
import { makeServerTls } from '../../../compose/servers/server-tls.ts'
import { registerSecret } from '../secrets.ts'
import { stopAtTheEnd } from '../stop-at-the-end.ts'
import { startPrivateRgw } from '../stores/rgw.ts'
import { packProxyImage } from './proxy-image.ts'
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

async function start(): Promise<SwarmServers> {
  const engine = await startSwarm()
  let starting: Promise<RunningRgw> | undefined
  try {
    const tls = await makeServerTls(['store', 'issuer', 'proxy', engine.hostAddress])
    registerSecret(tls.privateKey.split('\n')[1] ?? '')
    starting = startPrivateRgw({ tls })
    const images = [packProxyImage(engine.env, () => {}), packBunImage(engine.env)]
    const [rgw] = await Promise.all([starting, ...images])
    stopAtTheEnd(async () => {
      await engine.stop()
      await rgw.stop()
    })
    return { engine, rgw, tls }
  } catch (error) {
    const rgw = await starting?.catch(() => undefined)
    await rgw?.stop()
    await engine.stop()
    throw error
  }
}
