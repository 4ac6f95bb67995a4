import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunningLoki, startLoki } from '../../../compose/servers/loki.ts'
import { type RunningTempo, startTempo } from '../../../compose/servers/tempo.ts'
import { type RunningToxiproxy, startToxiproxy } from '../../../compose/servers/toxiproxy.ts'
import { writeCredentialsFile } from '../../../compose/stacks/credentials-file.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'
import { makeTempFolder, removeTempFolder } from '../../../service/cli/temp-folder.ts'
import type { Deployment, Launch, RunningServer, StoreAccess, StoreRoute } from '../deployment.ts'
import { type ConfigSite, launchConfig } from './launch-config.ts'
import { startTunnel, type Tunnel } from './tunnel.ts'

export interface NativeOptions {
  store: StoreAccess
  /** Called about what has to be built. */
  onProgress: OnProgress
}

/** Tempo 2.9 hangs once it has been queried; by then it has written everything. */
const tempoStopSecondsMax = 5
const killedExitCode = 137

/**
 * Returns a deployment that runs Loki and Tempo as processes on 127.0.0.1, each in a folder of its own.
 *
 * @throws from `start`: {ServerBuildError} if a server has to be built and cannot be.
 */
export async function openNativeDeployment({ store, onProgress }: NativeOptions): Promise<Deployment> {
  const folder = await makeTempFolder('validate')
  const site: Site = {
    ...{ store, folder, onProgress, endpoint: store.endpoint },
    caFile: await writeAuthority(folder, store.ca),
    readFile: (path) => readFileSync(path, 'utf8'),
  }
  const running: RunningServer[] = []
  const routes = nativeRoutes(site)
  let closed = false
  return {
    kind: 'native',
    store,
    openRoute: () => routes.open(),
    async start(launch) {
      if (closed) throw new Error('the deployment is closed')
      const server = await startNatively(site, launch)
      running.push(server)
      return server
    },
    async close() {
      closed = true
      await Promise.all(running.map((server) => server.kill()))
      await routes.close()
      await removeTempFolder(folder)
    },
  }
}

interface Site extends NativeOptions, ConfigSite {
  folder: string
}

async function startNatively(site: Site, launch: Launch): Promise<RunningServer> {
  const own = join(site.folder, launch.name)
  await mkdir(own)
  const options = {
    dataDir: launch.disk?.name ?? join(own, 'disk'),
    logFile: join(own, 'log'),
    credentialsFile: await writeCredentialsFile(own, launch.credentials ?? site.store),
    env: launch.route?.env ?? {},
    onProgress: site.onProgress,
  }
  if (launch.server === 'loki') {
    const loki = await startLoki({
      ...options,
      config: (places) => launchConfig(launch, site, { loki: places }),
    })
    return running(loki, `${loki.url}/otlp`)
  }
  const tempo = await startTempo({
    ...options,
    config: (places) => launchConfig(launch, site, { tempo: places }),
    stopSecondsMax: tempoStopSecondsMax,
  })
  return running(tempo, tempo.otlpUrl)
}

function running(server: RunningLoki | RunningTempo, otlpUrl: string): RunningServer {
  return {
    url: server.url,
    otlpUrl,
    disk: { name: server.dataDir },
    async stop() {
      await server.stop()
      return (await server.exited) === killedExitCode ? 'killed' : 'ended'
    },
    async kill() {
      await server.kill()
      // It is gone; stopping it removes its folder.
      await server.stop()
    },
    log: () => Bun.file(server.logFile).text(),
  }
}

async function writeAuthority(folder: string, pem: string | undefined): Promise<string | undefined> {
  if (pem === undefined) return undefined
  const path = join(folder, 'ca.crt')
  await writeFile(path, pem)
  return path
}

/**
 * Returns a maker of routes to the store that can be cut. A store on this machine is reached through a proxy of one Toxiproxy, which is started with
 * the first route. A store elsewhere that speaks TLS has a certificate for its own name: it is reached through a tunnel
 * that Loki and Tempo use as HTTPS_PROXY. (Go uses no proxy to loopback addresses, so the tunnel cannot serve both.)
 *
 * @param onProgress called about the build, if one is necessary.
 */
function nativeRoutes({ store, onProgress }: NativeOptions) {
  const upstream = new URL(store.endpoint)
  const target = `${upstream.hostname}:${upstream.port || (upstream.protocol === 'https:' ? 443 : 80)}`
  const tunnels: Tunnel[] = []
  let toxiproxy: Promise<RunningToxiproxy> | undefined
  let opened = 0

  async function openProxy(): Promise<StoreRoute> {
    toxiproxy ??= startToxiproxy({ onProgress })
    opened += 1
    const name = `store-${opened}`
    const proxy = await (await toxiproxy).addProxy(name, target)
    return {
      endpoint: `${upstream.protocol}//${proxy.host}`,
      cut: () => proxy.setEnabled(false),
      restore: () => proxy.setEnabled(true),
    }
  }

  async function openTunnel(): Promise<StoreRoute> {
    const tunnel = await startTunnel(target)
    tunnels.push(tunnel)
    return {
      endpoint: store.endpoint,
      env: { HTTPS_PROXY: tunnel.url },
      cut: async () => tunnel.cut(),
      restore: async () => tunnel.restore(),
    }
  }

  return {
    open: (): Promise<StoreRoute> =>
      upstream.protocol === 'https:' && !isLoopback(upstream) ? openTunnel() : openProxy(),
    async close() {
      for (const tunnel of tunnels) await tunnel.close()
      const running = await toxiproxy?.catch(() => undefined)
      await running?.stop()
    },
  }
}

/** Decides as Go does (net/http, `ProxyFromEnvironment`). */
function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}
