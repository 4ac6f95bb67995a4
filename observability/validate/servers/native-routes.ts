import type { OnProgress } from '../../../compose/servers/progress.ts'
import { type RunningToxiproxy, startToxiproxy } from '../../../compose/servers/toxiproxy.ts'
import { Missing } from '../checks/check.ts'
import type { StoreAccess, StoreRoute } from '../deployment.ts'

/** Ways to the store that can be cut: proxies of one Toxiproxy, which is started with the first of them. */
export interface NativeRoutes {
  open(): Promise<StoreRoute>
  close(): Promise<void>
}

/**
 * @param onProgress told about the build, where there has to be one.
 */
export function nativeRoutes({
  store,
  onProgress,
}: {
  store: StoreAccess
  onProgress: OnProgress
}): NativeRoutes {
  let toxiproxy: Promise<RunningToxiproxy> | undefined
  let opened = 0
  return {
    async open() {
      const upstream = new URL(store.endpoint)
      if (upstream.protocol === 'https:' && !isLoopback(upstream)) {
        throw new Missing(
          `a way to ${upstream.origin} that can be cut: its certificate is not good for a proxy on this machine`,
        )
      }
      toxiproxy ??= startToxiproxy({ onProgress })
      opened += 1
      const name = `store-${opened}`
      const proxy = await (await toxiproxy).addProxy(name, hostOf(upstream))
      return {
        endpoint: `${upstream.protocol}//${proxy.host}`,
        cut: () => proxy.setEnabled(false),
        mend: () => proxy.setEnabled(true),
      }
    },
    async close() {
      const running = await toxiproxy?.catch(() => undefined)
      await running?.stop()
    },
  }
}

function hostOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}

function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+)$/.test(hostname)
}
