import { type RunningToxiproxy, startToxiproxy } from '../../../compose/servers/toxiproxy.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'
import type { StoreAccess, StoreRoute } from '../deployment.ts'
import { startTunnel, type Tunnel } from './tunnel.ts'

/** Ways to the store that can be cut. */
export interface NativeRoutes {
  open(): Promise<StoreRoute>
  close(): Promise<void>
}

/**
 * A store on this machine is reached through a proxy of one Toxiproxy, which is started with the first of them. A
 * store elsewhere that speaks TLS has a certificate for its own name: to that one a tunnel leads, which Loki and
 * Tempo take as HTTPS_PROXY. (Go takes no proxy to loopback addresses, so the tunnel would not do for both.)
 *
 * @param onProgress told about the build, where there has to be one.
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

/** As Go has it (net/http, `ProxyFromEnvironment`). */
function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
}
