import { readFileSync } from 'node:fs'
import { ConfigError, parseStoreConfig, type StoreConfig } from '../config/config.ts'
import { placesOverlap } from '../config/places.ts'
import type { Environment, Problem } from '../config/source.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { prefixed } from '../object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../object-store/s3/s3-object-store.ts'

/** What the variables of the second store begin with: `TARGET_S3_ENDPOINT` and so on. */
const targetPrefix = 'TARGET_'

/** One of two stores, below its prefix. */
export interface OpenedStore {
  store: ObjectStore
  /** Endpoint, bucket and prefix. */
  place: string
  connectionsMax: number
}

export interface StorePair {
  source: OpenedStore
  target: OpenedStore
  close(): void
}

/**
 * Opens the store of the `S3_*` variables and that of the `TARGET_S3_*` ones, which follow the same rules.
 *
 * @param reverse source and target change places: for the way back, with the same environment.
 * @throws {ConfigError} with all problems of both at once; also where the two could get into each other's keys.
 */
export async function openStorePair(env: Environment, reverse: boolean): Promise<StorePair> {
  const ofTarget = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith(`${targetPrefix}S3_`) ? [[name.slice(targetPrefix.length), value]] : [],
  )
  const [primary, other] = await Promise.all([
    readStore(env, ''),
    readStore(Object.fromEntries(ofTarget), targetPrefix),
  ])
  if ('problems' in primary || 'problems' in other) {
    throw new ConfigError([primary, other].flatMap((read) => ('problems' in read ? read.problems : [])))
  }
  refuseSamePlace(primary, other)
  const [one, two] = [open(primary), open(other)]
  const close = () => {
    one.close()
    two.close()
  }
  return reverse ? { source: two, target: one, close } : { source: one, target: two, close }
}

async function readStore(env: Environment, prefix: string): Promise<StoreConfig | { problems: Problem[] }> {
  try {
    return await parseStoreConfig(env, (path) => readFileSync(path, 'utf8'))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const ours = (text: string) => text.replaceAll(/\bS3_/g, `${prefix}S3_`)
    return {
      problems: error.problems.map(({ variable, problem }) => ({
        variable: ours(variable),
        problem: ours(problem),
      })),
    }
  }
}

function refuseSamePlace(one: StoreConfig, other: StoreConfig): void {
  if (one.s3.endpoint !== other.s3.endpoint || !placesOverlap(one.docs, other.docs)) return
  const problem =
    'and S3_PREFIX_DOCS are in one bucket of one store and contain each other: choose places apart'
  throw new ConfigError([{ variable: `${targetPrefix}S3_PREFIX_DOCS`, problem }])
}

function open({ s3, docs }: StoreConfig): OpenedStore & { close(): void } {
  const bucket = createS3ObjectStore({
    ...s3,
    bucket: docs.bucket,
    accessKeyId: s3.accessKeyId.reveal(),
    secretAccessKey: s3.secretAccessKey.reveal(),
  })
  return {
    store: prefixed(bucket, docs.prefix),
    place: `${s3.endpoint}/${docs.bucket}/${docs.prefix}`,
    connectionsMax: s3.connectionsMax,
    close: bucket.close,
  }
}
