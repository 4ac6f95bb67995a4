import { type RunningToxiproxy, startToxiproxy } from '../../../compose/servers/toxiproxy.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'
import type { StoreAccess, StoreRoute } from '../deployment.ts'
import { startTunnel, type Tunnel } from './tunnel.ts'

/** Opens routes to the store that can be cut. */
export interface NativeRoutes {
  open(): Promise<StoreRoute>
  close(): Promise<void>
}

/**
 * Returns a maker of routes. A store on this machine is reached through a proxy of one Toxiproxy, which is started with
 * the first route. A store elsewhere that speaks TLS has a certificate for its own name: it is reached through a tunnel
 * that Loki and Tempo use as HTTPS_PROXY. (Go uses no proxy to loopback addresses, so the tunnel cannot serve both.)
 *
 * @param onProgress called about the build, if one is necessary.
 */
export function nativeRoutes({
  store,
  onProgress,
}: {
  store: StoreAccess
  onProgress: OnProgress
}): NativeRoutes {
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
    open: () => (upstream.protocol === 'https:' && !isLoopback(upstream) ? openTunnel() : openProxy()),
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
