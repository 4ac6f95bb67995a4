import { YAML } from 'bun'
import type { LokiPlaces } from '../../../compose/servers/loki.ts'
import type { TempoPlaces } from '../../../compose/servers/tempo.ts'
import type { ResolveHost } from '../../../service/config/checks.ts'
import type { ReadFile } from '../../../service/config/parse.ts'
import { renderLoki, renderTempo } from '../../config/render.ts'
import { observabilitySettings } from '../../config/settings.ts'
import type { YamlMapping } from '../../config/yaml.ts'
import type { Launch, StoreAccess } from '../deployment.ts'

/** Where a server is launched. */
export interface ConfigSite {
  store: StoreAccess
  /** Origin of the store for the server, unless the launch has a route. */
  endpoint: string
  /** Absolute path of the private certificate authority of the store. */
  caFile?: string | undefined
  readFile: ReadFile
  /** Default: asks the system. */
  resolveHost?: ResolveHost
}

/**
 * Renders the configuration of a launch, by the same contract and code as in production, and reports it to
 * `launch.onConfig`.
 *
 * @returns YAML without secrets.
 */
export async function launchConfig(
  launch: Launch,
  { store, endpoint: direct, caFile, readFile, resolveHost }: ConfigSite,
  places: { loki: LokiPlaces } | { tempo: TempoPlaces },
): Promise<string> {
  const { server, variants, bucket, prefix, route, alter, onConfig } = launch
  const endpoint = route?.endpoint ?? direct
  const name = server.toUpperCase()
  const env = {
    S3_ENDPOINT: endpoint,
    S3_REGION: store.region,
    S3_FORCE_PATH_STYLE: String(store.forcePathStyle),
    S3_INSECURE: String(endpoint.startsWith('http:')),
    S3_CA_FILE: caFile,
    [`S3_BUCKET_${name}`]: bucket,
    [`S3_PREFIX_${name}`]: prefix,
  }
  const lokiClient = variants.includes('s3-classic') ? 'classic' : 'thanos'
  const { loki, tempo } = await observabilitySettings(env, { readFile, resolveHost, lokiClient })
  const rendered = await ('loki' in places
    ? renderLoki(variants, { store: loki, places: places.loki })
    : renderTempo(variants, { store: tempo, places: places.tempo }))
  const config =
    alter === undefined ? rendered : YAML.stringify(alter(YAML.parse(rendered) as YamlMapping), null, 2)
  onConfig?.(config)
  return config
}
