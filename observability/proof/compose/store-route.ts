import { ensureObservabilityImage } from '../../../compose/images/observability/images.ts'
import type { DockerEnvironment } from '../../../compose/servers/docker-engine.ts'
import { freePort } from '../../../compose/servers/free-port.ts'
import { answersOk } from '../../../compose/servers/server-process.ts'
import { addProxy } from '../../../compose/servers/toxiproxy.ts'
import type { ComposeProject } from '../../../compose/stacks/compose-project.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'
import type { StoreRoute } from '../deployment.ts'

const firstPort = 9100
const readySecondsMax = 30

/** Returns a maker of routes to the store that can be cut: proxies of one Toxiproxy, in the store's own project. */
export function storeRoutes(project: ComposeProject, env: DockerEnvironment, onProgress: OnProgress) {
  let starting: Promise<string> | undefined
  let opened = 0
  return {
    /** @param upstream `host:port` of the store in the containers' network. */
    async open(upstream: string): Promise<StoreRoute> {
      starting ??= startToxiproxy(project, env, onProgress)
      const api = await starting
      const port = firstPort + opened++
      const proxy = await addProxy(api, `store-${port}`, upstream, `0.0.0.0:${port}`)
      return {
        endpoint: `http://toxiproxy:${port}`,
        cut: () => proxy.setEnabled(false),
        restore: () => proxy.setEnabled(true),
      }
    },
  }
}

/** Starts Toxiproxy. @returns the origin of its HTTP API. */
async function startToxiproxy(project: ComposeProject, env: DockerEnvironment, onProgress: OnProgress) {
  const image = await ensureObservabilityImage('toxiproxy', env, onProgress)
  const port = await freePort()
  const files = ['compose/stacks/store-route.yaml']
  const settings = { TOXIPROXY_IMAGE: image, TOXIPROXY_PORT: String(port) }
  await project.must(['up', '--detach', '--no-deps', 'toxiproxy'], { files, env: settings })
  const api = `http://127.0.0.1:${port}`
  const deadline = performance.now() + readySecondsMax * 1000
  while (!(await answersOk(`${api}/version`))) {
    if (performance.now() > deadline) throw new Error(`toxiproxy does not answer after ${readySecondsMax} s`)
    await Bun.sleep(50)
  }
  return api
}
