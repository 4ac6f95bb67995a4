import { Missing } from '../../service/cli/checks/check.ts'
import { againstProof, type RunningPlace } from './against.ts'
import type { ServerName } from './deployment.ts'
import type { Against } from './flags.ts'
import { hideKeys, readText, type Setup, type SetupOptions } from './setup.ts'
import { configuredStore, isStoreConfigured } from './store-choice.ts'

/** Nobody knows how long chunks and blocks take where `/flush` is out of reach; where it answers, this is ample. */
const landingSecondsDefault = 60
/** Of OTLP over HTTP (opentelemetry.io, "OTLP/HTTP Default Port"). */
const otlpPort = '4318'

/**
 * Finds the store of servers that run already; starts nothing.
 *
 * @throws {ConfigError} where the environment is wrong. @throws {Missing} without a configured store.
 */
export async function setUpAgainst({ request, env, evidence, signal }: SetupOptions): Promise<Setup> {
  const { servers, flags } = request
  const against = flags.against ?? {}
  if (!isStoreConfigured(env)) throw new Missing('S3_ENDPOINT and the other S3_* of the store that they use')
  const store = await configuredStore(env, servers, readText, flags.variant)
  hideKeys(store.access)
  const places: Partial<Record<ServerName, RunningPlace>> = {}
  for (const server of servers) {
    const place = store.places[server]
    if (place === undefined) throw new Missing(`a bucket of ${server}`)
    places[server] = { ...place, url: against[server] ?? '', otlpUrl: otlpUrlOf(server, against) }
  }
  const waits = { landing: flags.wait ?? landingSecondsDefault }
  const proof = againstProof({
    places,
    store: store.access,
    orgId: flags.tenant,
    evidence,
    signal,
    others: store.others,
    waits,
  })
  const shown = servers.map((server) => [server, { ...places[server], variants: [] }])
  return {
    proof,
    facts: {
      deployment: 'against',
      store: { endpoint: store.access.endpoint },
      servers: Object.fromEntries(shown),
    },
    seen: `${store.description}; ${servers.map((server) => `${server} at ${against[server]}`).join(', ')}`,
    stop: () => store.stop(),
  }
}

function otlpUrlOf(server: ServerName, { loki = '', tempo = '', otlp }: Against): string {
  if (otlp !== undefined) return otlp
  if (server === 'loki') return `${loki}/otlp`
  const url = new URL(tempo)
  url.port = otlpPort
  return url.origin
}
