import { rm } from 'node:fs/promises'
import { ensureObservabilityImage } from '../../../compose/images/observability/images.ts'
import { runCommand } from '../../../compose/run-command.ts'
import { type DockerEnvironment, whyNoDocker } from '../../../compose/servers/docker-engine.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'
import type { Deployment, StoreAccess } from '../deployment.ts'
import { type Launched, launchServer } from './launch.ts'
import { foreignStoreSite, ownStoreSite } from './launch-site.ts'

export interface ComposeDeploymentOptions {
  /** The store to use, which containers have to reach; `null`: a throw-away MinIO next to them. */
  store: StoreAccess | null
  /** Environment of the `docker` command. */
  env: DockerEnvironment
  /** Absolute path of a folder for the files of the deployment; `close` removes it. */
  folder: string
  onProgress: OnProgress
}

/** Returns `null` if {@link openComposeDeployment} can be tried here, otherwise what is missing, in one line. */
export async function whyNoComposeDeployment(env: DockerEnvironment): Promise<string | null> {
  const whyNot = await whyNoDocker(env)
  return whyNot === null ? null : `no usable Docker Engine: ${whyNot}`
}

/**
 * Returns a deployment that runs Loki and Tempo in containers, from the compose file and overlays that operators use:
 * every server of the proof is a Compose project of its own, in one network with the store.
 *
 * @throws {CommandError} if the engine or the store's container fails. @throws {ServerBuildError} if an image
 *   has to be built and cannot be. @throws {Error} if `store` is out of reach for containers.
 */
export async function openComposeDeployment(options: ComposeDeploymentOptions): Promise<Deployment> {
  const { env, onProgress } = options
  const images = {
    LOKI_IMAGE: await ensureObservabilityImage('loki', env, onProgress),
    TEMPO_IMAGE: await ensureObservabilityImage('tempo', env, onProgress),
  }
  const plan = {
    project: `cloudlysis-proof-${process.pid}-${crypto.randomUUID().slice(0, 8)}`,
    folder: options.folder,
    env,
    images,
    onProgress,
  }
  const site = await (options.store === null ? ownStoreSite(plan) : foreignStoreSite(plan, options.store))
  const launched: Launched[] = []
  const starts: Promise<unknown>[] = []
  const closing = new AbortController()
  const close = async () => {
    closing.abort(new Error('the deployment is closed'))
    await Promise.allSettled(starts)
    const removed = await Promise.allSettled(launched.map((one) => one.remove()))
    await site.close()
    const disks = [...new Set(launched.map((one) => one.disk))]
    if (disks.length > 0) await runCommand(['docker', 'volume', 'rm', '--force', ...disks], { env })
    await rm(options.folder, { recursive: true, force: true })
    const failed = removed.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  let closed: Promise<void> | undefined
  return {
    kind: 'compose',
    store: site.store,
    hasOwnStore: options.store === null,
    openRoute: () => site.openRoute(),
    start: (launch) => {
      const start = launchServer(site, launch, (one) => launched.push(one), closing.signal)
      starts.push(start)
      return start
    },
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
