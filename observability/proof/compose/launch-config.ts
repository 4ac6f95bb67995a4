import { YAML } from 'bun'
import { containerPlaces, resolveContainer } from '../../config/container-places.ts'
import { type LokiVariant, renderLoki, renderTempo, type TempoVariant } from '../../config/render.ts'
import { observabilitySettings } from '../../config/settings.ts'
import type { YamlMapping } from '../../config/yaml.ts'
import type { Launch } from '../deployment.ts'
import type { LaunchSite } from './launch-site.ts'

/** The configuration of a launch as YAML, without secrets. */
export async function launchConfig(site: LaunchSite, launch: Launch): Promise<string> {
  const rendered = await render(site, launch)
  if (launch.alter === undefined) return rendered
  return YAML.stringify(launch.alter(YAML.parse(rendered) as YamlMapping), null, 2)
}

async function render(
  site: LaunchSite,
  { server, variants, bucket, prefix, route }: Launch,
): Promise<string> {
  const endpoint = route?.endpoint ?? site.endpoint
  const name = server.toUpperCase()
  const env = {
    S3_ENDPOINT: endpoint,
    S3_REGION: site.store.region,
    S3_FORCE_PATH_STYLE: String(site.store.forcePathStyle),
    S3_INSECURE: String(endpoint.startsWith('http:')),
    [`S3_BUCKET_${name}`]: bucket,
    [`S3_PREFIX_${name}`]: prefix,
  }
  const { loki, tempo } = await observabilitySettings(env, {
    readFile,
    resolveHost: resolveContainer,
    lokiClient: variants.includes('s3-classic') ? 'classic' : 'thanos',
  })
  return server === 'loki'
    ? renderLoki(variants as LokiVariant[], { store: loki, places: containerPlaces.loki })
    : renderTempo(variants as TempoVariant[], { store: tempo, places: containerPlaces.tempo })
}

/** Nothing of what a launch is told comes from a file. */
function readFile(path: string): never {
  throw new Error(`a launch reads no file, and was told ${path}`)
}
