import { join } from 'node:path'
import { YAML } from 'bun'
import type { LokiPlaces } from '../../compose/servers/loki.ts'
import type { CollectorPlaces } from '../../compose/servers/otel-collector.ts'
import type { TempoPlaces } from '../../compose/servers/tempo.ts'
import { filled, type TemplateValues } from './config-template.ts'
import type { LokiStoreSettings, TempoStoreSettings } from './settings.ts'
import {
  type CollectorVariant,
  isStoreVariant,
  type LokiVariant,
  ordered,
  type TempoVariant,
} from './variants.ts'
import type { YamlMapping } from './yaml.ts'
import { merged } from './yaml.ts'

export type { CollectorVariant, LokiVariant, TempoVariant }

/** Where a server listens and keeps its files. Without a host it listens on all addresses, as in a container. */
export type RenderPlaces<Places> = Omit<Places, 'host'> & { host?: string }

/**
 * Renders Loki's configuration: its base, and the variants over it in their own order, with the values filled in. It
 * contains no secret: keys reach Loki in the file that AWS_SHARED_CREDENTIALS_FILE names.
 *
 * @returns YAML that `loki -verify-config` accepts.
 * @throws {VariantError} for variants that Loki does not have, or that exclude or need each other.
 * @throws {Error} for S3 without a store for its client.
 */
export async function renderLoki(
  variants: readonly string[],
  { store, places }: { store?: LokiStoreSettings | null | undefined; places: RenderPlaces<LokiPlaces> },
): Promise<string> {
  const chosen = ordered('loki', variants)
  const client = chosen.find(isStoreVariant)
  if (client !== undefined && store != null && client !== `s3-${store.client}`) {
    throw new Error(`${client}: the settings are for the ${store.client} client`)
  }
  return render(filesOf('loki', chosen), { ...placeValues(places), ...storeValues(chosen, store) })
}

/** Variants that differ in Tempo 3: the others are those of 2.9. */
const tempo3Files: Partial<Record<TempoVariant, string[]>> = {
  s3: ['tempo/s3', 'tempo/v3/s3'],
  retention: ['tempo/v3/retention'],
}

/**
 * Renders Tempo's configuration in the same way.
 *
 * @param version 2, the default, for Tempo 2.9; 3 for Tempo 3.0, which no test runs.
 * @returns YAML that `tempo -config.verify=true` accepts.
 * @throws as {@link renderLoki} does.
 */
export async function renderTempo(
  variants: readonly string[],
  { store, places }: { store?: TempoStoreSettings | null | undefined; places: RenderPlaces<TempoPlaces> },
  version: 2 | 3 = 2,
): Promise<string> {
  const chosen = ordered('tempo', variants)
  const of3 = chosen.flatMap((variant) => tempo3Files[variant] ?? [`tempo/${variant}`])
  const files = version === 2 ? filesOf('tempo', chosen) : ['tempo/v3/base', ...of3]
  return render(files, { ...placeValues(places), ...storeValues(chosen, store) })
}

export interface CollectorSettings {
  /** Origins: the Collector adds Loki's `/otlp`, and the paths of the signals. */
  lokiUrl: string
  tempoUrl: string
  places: RenderPlaces<CollectorPlaces>
}

/** Renders the Collector's configuration in the same way. @returns YAML that `otel-collector validate` accepts. */
export async function renderCollector(
  variants: readonly string[],
  { lokiUrl, tempoUrl, places }: CollectorSettings,
): Promise<string> {
  const files = filesOf('collector', ordered('collector', variants))
  return render(files, { ...placeValues(places), lokiUrl, tempoUrl })
}

function filesOf(server: string, variants: readonly string[]): string[] {
  return ['base', ...variants].map((name) => `${server}/${name}`)
}

async function render(files: string[], values: TemplateValues): Promise<string> {
  const configs = await Promise.all(files.map(readConfig))
  const config = configs.reduce((base, variant) => merged(base, variant), {})
  const from = files.map((file) => `observability/config/${file}.yaml`).join(', ')
  return `# Rendered from ${from}: change those.\n${YAML.stringify(filled(config, values), null, 2)}\n`
}

async function readConfig(file: string): Promise<YamlMapping> {
  return YAML.parse(await Bun.file(join(import.meta.dir, `${file}.yaml`)).text()) as YamlMapping
}

/** Listens on all addresses, as a container has to, unless `places` names a host. */
function placeValues(places: object): TemplateValues {
  return { host: '0.0.0.0', ...places }
}

function storeValues(
  variants: readonly string[],
  store: TempoStoreSettings | null | undefined,
): TemplateValues {
  const variant = variants.find(isStoreVariant)
  if (variant === undefined) return { objectStore: 'filesystem' }
  if (store == null) throw new Error(`${variant} needs a store`)
  const { bucket, prefix, endpoint, region, insecure, forcePathStyle, caFile } = store
  return {
    objectStore: 's3',
    ...{ bucket, prefix, endpoint, region, insecure, forcePathStyle, caFile },
    // The same choice in the terms of the clients.
    bucketLookup: forcePathStyle ? 'path' : 'virtual-hosted',
    bucketLookupNumber: forcePathStyle ? 0 : 1,
  }
}
