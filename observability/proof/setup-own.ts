import { buildServer } from '../../compose/servers/build-server.ts'
import { Missing } from '../../service/cli/checks/check.ts'
import { UsageError } from '../../service/cli/command.ts'
import { makeTempFolder } from '../../service/cli/temp-folder.ts'
import { openComposeDeployment, whyNoComposeDeployment } from './compose/deployment.ts'
import type { Deployment } from './deployment.ts'

import { ownProof } from './proof.ts'
import { openNativeDeployment } from './servers/native-deployment.ts'
import { recordedDeployment } from './servers/recorded-deployment.ts'
import { hideKeys, readText, type Setup, type SetupOptions } from './setup.ts'
import {
  type ChosenStore,
  configuredStore,
  isStoreConfigured,
  localPlaces,
  startedStore,
} from './store-choice.ts'

/**
 * Brings up a store, where none is configured, and what runs the servers on it.
 *
 * @throws {ConfigError} or {UsageError} where environment or command line are wrong. @throws what `isMissing`
 *   knows, where something is not there; nothing is left running then.
 */
export async function setUpOwn(options: SetupOptions): Promise<Setup> {
  const chosen = await chooseStore(options)
  try {
    // Before anything can fail with a message.
    if (chosen !== null) hideKeys(chosen.access)
    const deployment = await openDeployment(options, chosen)
    if (chosen === null) hideKeys(deployment.store)
    return withProof(options, chosen, deployment)
  } catch (error) {
    await chosen?.stop()
    throw error
  }
}

function withProof(options: SetupOptions, chosen: ChosenStore | null, deployment: Deployment): Setup {
  const { request, evidence, signal } = options
  const { servers, flags } = request
  const variants = { loki: [chosen?.lokiVariant ?? flags.variant ?? 's3-thanos'], tempo: ['s3'] }
  const places = Object.fromEntries(
    servers.map((server) => {
      const place = chosen?.places[server] ?? localPlaces[server]
      return [server, { ...place, variants: variants[server] }]
    }),
  )
  const proof = ownProof({
    deployment: recordedDeployment(deployment, evidence),
    places,
    part: flags.all ? 'all' : 'default',
    evidence,
    signal,
    others: chosen?.others ?? [],
  })
  const { endpoint } = deployment.store
  return {
    proof,
    facts: { deployment: deployment.kind, store: { endpoint }, servers: places },
    seen: `${chosen?.description ?? `MinIO of this run's own at ${endpoint}`}; ${howRun[deployment.kind]}`,
    stop: async () => chosen?.stop(),
  }
}

const howRun = { native: 'servers run as processes', compose: 'servers run in containers' }

/** @returns `null` where the containers bring a store of their own. */
async function chooseStore({ request, env, onProgress }: SetupOptions): Promise<ChosenStore | null> {
  const { flags, servers } = request
  if (isStoreConfigured(env)) {
    if (flags.store !== undefined || flags.tls) {
      throw new UsageError('a store is configured by S3_*: leave --store and --tls out, or unset those')
    }
    return configuredStore(env, servers, readText, flags.variant)
  }
  return flags.deploy === 'compose' ? null : startedStore(flags, onProgress)
}

async function openDeployment(
  { request, env, onProgress }: SetupOptions,
  chosen: ChosenStore | null,
): Promise<Deployment> {
  const { flags, servers } = request
  if (flags.deploy === 'compose') {
    const whyNot = await whyNoComposeDeployment(env)
    if (whyNot !== null) throw new Missing(whyNot)
    const folder = await makeTempFolder('validate-compose')
    return openComposeDeployment({ store: chosen?.access ?? null, env, folder, onProgress })
  }
  if (chosen === null) throw new Error('without containers there is always a store')
  // Here and not in the first check: minutes of building say nothing about what is checked.
  for (const server of servers) await buildServer(server, { onProgress })
  if (flags.all) await buildServer('toxiproxy', { onProgress })
  return openNativeDeployment({ store: chosen.access, onProgress })
}
