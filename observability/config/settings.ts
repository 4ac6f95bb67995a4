import { type Place, placeOf, type ResolveHost } from '../../service/config/checks.ts'
import { ConfigError, notOfStore, readValues } from '../../service/config/config.ts'
import type { Environment, ReadFile } from '../../service/config/parse.ts'
import type { Values, VariableName } from '../../service/config/variables.ts'
import { fitsThanos, type LokiClient, storeProblems } from './settings-rules.ts'

/** A place in a store, in the words of the clients of Loki and Tempo. There is no secret in it. */
export interface S3ClientSettings {
  bucket: string
  /** Without a slash at either end. */
  prefix: string
  /** `host[:port]`, without a scheme. */
  endpoint: string
  region: string
  /** True for plain http. */
  insecure: boolean
  /** True where the bucket goes into the path, false where it goes into the host name. */
  forcePathStyle: boolean
  /** Absolute path of a private certificate authority. */
  caFile: string | null
}

export interface LokiStoreSettings extends S3ClientSettings {
  /** `thanos` for prefixes of one segment, `classic` for nested ones. */
  client: LokiClient
}

export type TempoStoreSettings = S3ClientSettings

export interface ObservabilitySettings {
  loki: LokiStoreSettings | null
  tempo: TempoStoreSettings | null
}

export interface SettingsOptions {
  /** Reads a file as text, as in `parseConfig`. */
  readFile: ReadFile
  /** Default: asks the system. */
  resolveHost?: ResolveHost | undefined
  /** Default: the one that can express the prefix, `thanos` where both can. */
  lokiClient?: LokiClient | undefined
}

/**
 * Returns the settings of the store for Loki and Tempo from the configuration contract (docs/configuration.md): `null`
 * for a server without a bucket. Only the `S3_*` variables that concern them are needed; keys are ignored, and
 * everything else that is set has to be right.
 *
 * @throws {ConfigError} with all problems at once, among them what the servers cannot express.
 */
export async function observabilitySettings(
  env: Environment,
  { readFile, resolveHost, lokiClient }: SettingsOptions,
): Promise<ObservabilitySettings> {
  const optional: VariableName[] = ['S3_BUCKET_DOCS']
  const read = await readValues(env, {
    readFile,
    resolveHost,
    unread: [...notOfStore, ...storeKeys],
    optional,
  })
  const { values } = read
  const client = lokiClient ?? (fitsThanos(values.S3_PREFIX_LOKI ?? 'loki/') ? 'thanos' : 'classic')
  const all = [...read.problems, ...storeProblems(values, client)]
  if (all.length > 0) throw new ConfigError(all)
  const loki = placeOf(values.S3_BUCKET_LOKI, values.S3_PREFIX_LOKI ?? 'loki/')
  const tempo = placeOf(values.S3_BUCKET_TEMPO, values.S3_PREFIX_TEMPO ?? 'tempo/')
  return {
    loki: loki === undefined ? null : { ...clientSettings(values, loki), client },
    tempo: tempo === undefined ? null : clientSettings(values, tempo),
  }
}

/** The keys of the store reach Loki and Tempo in a file. */
const storeKeys: VariableName[] = ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']

function clientSettings(values: Values, { bucket, prefix }: Place): S3ClientSettings {
  return {
    bucket,
    prefix: prefix.replace(/\/$/, ''),
    endpoint: new URL(values.S3_ENDPOINT ?? '').host,
    region: values.S3_REGION ?? '',
    insecure: values.S3_INSECURE ?? false,
    forcePathStyle: values.S3_FORCE_PATH_STYLE ?? false,
    caFile: values.S3_CA_FILE ?? null,
  }
}
