import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConfigError } from '../../service/config/config.ts'
import type { Environment, ReadFile } from '../../service/config/parse.ts'
import { type Combination, combinationName, combinations, storeVariantOf } from './combinations.ts'
import { containerCaFile, containerPlaces, containerUrls, resolveContainer } from './container-places.ts'
import { renderCollector, renderLoki, renderTempo, renderTempo3 } from './render.ts'
import {
  type LokiStoreSettings,
  observabilitySettings,
  type S3ClientSettings,
  type TempoStoreSettings,
} from './settings.ts'
import type { LokiClient } from './settings-rules.ts'

/** What became of a combination: the path of its file, or why there is none. */
export interface Rendered {
  name: string
  file: string | null
  /** Lines; empty where there is a file. */
  why: readonly string[]
}

/**
 * Writes every combination to `<folder>/<name>.yaml`, for containers: they listen on all addresses of their network
 * and find each other by their names there.
 *
 * @param env the configuration contract; what it does not say, or what a server cannot express, leaves out the
 *   combinations that are about it. Containers find the certificates of its `S3_CA_FILE` at {@link containerCaFile}.
 */
export async function renderCombinations(
  folder: string,
  env: Environment,
  readFile: ReadFile,
): Promise<Rendered[]> {
  const stores = await storesOf(env, readFile)
  await mkdir(folder, { recursive: true })
  const results: Rendered[] = []
  for (const combination of combinations) {
    const name = combinationName(combination)
    const store = storeFor(combination, stores)
    const file = join(folder, `${name}.yaml`)
    if (Array.isArray(store)) {
      // One from before would be for another store.
      await rm(file, { force: true })
      results.push({ name, file: null, why: store })
      continue
    }
    // There is no secret in it, and the user of a container reads it.
    await writeFile(file, await render(combination, store), { mode: 0o644 })
    results.push({ name, file, why: [] })
  }
  return results
}

type StoreOr<Settings> = Settings | string[]

interface Stores {
  thanos: StoreOr<LokiStoreSettings>
  classic: StoreOr<LokiStoreSettings>
  tempo: StoreOr<TempoStoreSettings>
}

/** The settings of each client, or why there are none. */
async function storesOf(env: Environment, readFile: ReadFile): Promise<Stores> {
  const settings = async (lokiClient: LokiClient) => {
    const options = { readFile, resolveHost: resolveContainer, lokiClient }
    return observabilitySettings(env, options).catch(linesOf)
  }
  const loki = async (client: LokiClient) => {
    const found = await settings(client)
    return Array.isArray(found) ? found : (inContainer(found.loki) ?? ['S3_BUCKET_LOKI is not set'])
  }
  // What Loki's thanos client cannot express is no reason to leave Tempo out.
  const found = await settings('classic')
  const tempo = Array.isArray(found) ? found : (inContainer(found.tempo) ?? ['S3_BUCKET_TEMPO is not set'])
  return { thanos: await loki('thanos'), classic: await loki('classic'), tempo }
}

/** `S3_CA_FILE` is a file of this machine, which containers have at a place of their own. */
function inContainer<Settings extends S3ClientSettings>(settings: Settings | null): Settings | null {
  return settings?.caFile == null ? settings : { ...settings, caFile: containerCaFile }
}

function linesOf(error: unknown): string[] {
  if (!(error instanceof ConfigError)) throw error
  return error.problems.map(({ variable, problem }) => `${variable} ${problem}`)
}

function storeFor(
  combination: Combination,
  stores: Stores,
): StoreOr<LokiStoreSettings | TempoStoreSettings> | null {
  const variant = storeVariantOf(combination)
  if (variant === undefined) return null
  if (combination.server !== 'loki') return stores.tempo
  return variant === 's3-classic' ? stores.classic : stores.thanos
}

function render(combination: Combination, store: LokiStoreSettings | TempoStoreSettings | null) {
  const { server, variants } = combination
  if (server === 'collector') {
    return renderCollector(variants, { ...containerUrls, places: containerPlaces.collector })
  }
  if (server === 'loki') {
    return renderLoki(variants, { store: store as LokiStoreSettings | null, places: containerPlaces.loki })
  }
  const renderAny = server === 'tempo' ? renderTempo : renderTempo3
  return renderAny(variants, { store, places: containerPlaces.tempo })
}
