import { join } from 'node:path'
import { ensureObservabilityImage } from '../../../compose/images/observability/images.ts'
import { mustRun, runCommand } from '../../../compose/run-command.ts'
import type { DockerEnvironment } from '../../../compose/servers/docker-engine.ts'
import { freePort, freePorts } from '../../../compose/servers/free-port.ts'
import { answersOk } from '../../../compose/servers/server-process.ts'
import { addProxy } from '../../../compose/servers/toxiproxy.ts'
import type { ComposeProject, ComposeSettings } from '../../../compose/stacks/compose-project.ts'
import {
  type ObjectStoreStack,
  openObjectStoreStack,
  type StackOptions,
  upObjectStore,
} from '../../../compose/stacks/object-store-stack.ts'
import { Missing } from '../../../service/cli/checks/check.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'
import type { ServerName, StoreAccess, StoreRoute } from '../deployment.ts'
import { until } from '../until.ts'

/** What is known before there is a store. */
export interface SitePlan {
  /** Compose project of the store; the names of everything else begin with it. */
  project: string
  /** Absolute path of a folder for the files of the site. */
  folder: string
  env: DockerEnvironment
  images: ComposeSettings
  onProgress: OnProgress
}

/** A network with a store in reach, in which servers can be launched. */
export interface LaunchSite extends SitePlan {
  network: string
  /** As this process reaches it. */
  store: StoreAccess
  /** Origin by which containers reach it. */
  endpoint: string
  /** The compose files of a server on that store, in addition to `observability.yaml` and its own overlay. */
  files: string[]
  /** The choice in the name of its overlay. */
  choice: 's3-minio' | 's3-hetzner'
  /** Name of the file with the keys of a server, where that overlay looks for it. */
  credentialsFile(server: ServerName): string
  openRoute(): Promise<StoreRoute>
  /** Removes the network and everything that runs in it. Can be repeated. */
  close(): Promise<void>
}

/**
 * Starts a throw-away MinIO, set up as every local one.
 *
 * Decision: `store` has the keys of its root, since the checks look at all of a bucket and at buckets that no server
 * may reach. The test of an operator's stack shows that its keys are enough for Loki and Tempo. Revisit when a check is
 * about permissions.
 */
export async function ownStoreSite(plan: SitePlan): Promise<LaunchSite> {
  const { project, env, onProgress } = plan
  const folder = join(plan.folder, 'store')
  const [apiPort = 0, consolePort = 0] = await freePorts(2)
  const stack = await upOrNothing({ folder, project, apiPort, consolePort, env, onProgress })
  const secret = (name: string) => Bun.file(join(folder, 'secrets', name)).text()
  const routes = storeRoutes(stack, env, onProgress)
  return {
    ...plan,
    network: `${project}_default`,
    store: {
      ...stack.connection,
      accessKeyId: await secret('minio-root-user'),
      secretAccessKey: await secret('minio-root-password'),
    },
    endpoint: 'http://minio:9000',
    files: ['compose/stacks/object-store.yaml'],
    choice: 's3-minio',
    credentialsFile: (server) => `${server}-s3-credentials`,
    openRoute: () => routes.open('minio:9000'),
    close: () => stack.remove(),
  }
}

/** Brings up the store as {@link upObjectStore} does, and leaves nothing running if it fails. */
async function upOrNothing(options: StackOptions): Promise<ObjectStoreStack> {
  try {
    return await upObjectStore(options)
  } catch (error) {
    const started = await openObjectStoreStack(options.folder, options.env).catch(() => null)
    await started?.remove()
    throw error
  }
}

/**
 * Returns a site on a store elsewhere, under the name by which this process knows it.
 *
 * @throws {Missing} if containers cannot reach it, or do not know who signed its certificate.
 */
export async function foreignStoreSite(plan: SitePlan, store: StoreAccess): Promise<LaunchSite> {
  const { hostname } = new URL(store.endpoint)
  if (/^(localhost|127\.|\[::1\]$)/.test(hostname)) {
    throw new Missing(
      `containers cannot reach a store at ${hostname}: unset S3_*, and they get a store of their own`,
    )
  }
  if (store.ca !== undefined) {
    throw new Missing('containers trust public certificate authorities only, and the store has a private one')
  }
  const network = `${plan.project}_default`
  await mustRun(['docker', 'network', 'create', network], { env: plan.env })
  return {
    ...plan,
    network,
    store,
    endpoint: store.endpoint,
    files: [],
    choice: 's3-hetzner',
    credentialsFile: () => 'hetzner-s3-credentials',
    openRoute: () =>
      Promise.reject(new Missing('a store that is not part of the deployment cannot be cut off')),
    close: async () => {
      await runCommand(['docker', 'network', 'rm', network], { env: plan.env })
    },
  }
}

const firstPort = 9100
const readySecondsMax = 30

/** Returns a maker of routes to the store that can be cut: proxies of one Toxiproxy, in the store's own project. */
function storeRoutes(project: ComposeProject, env: DockerEnvironment, onProgress: OnProgress) {
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
  const up = await until(readySecondsMax, async () => (await answersOk(`${api}/version`)) || null)
  if (up === null) throw new Error(`toxiproxy does not answer after ${readySecondsMax} s`)
  return api
}
