import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { placesOverlap } from '../config/checks.ts'
import { ConfigError, parseStoreConfig, type StoreConfig } from '../config/config.ts'
import type { Environment, Problem } from '../config/parse.ts'
import { proxyVariables } from '../config/proxies.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { openStore as openObjectStore, storeConnection } from '../object-store/s3/open-store.ts'
import { createS3ObjectStore } from '../object-store/s3/s3-object-store.ts'
import { decidedInProcess } from '../object-store/single-writer.ts'
import { UsageError } from './command.ts'
import { integerIn, parseRate } from './values.ts'

/** The only place where commands read the configuration of a store and open it. */

/** The documents of one store. */
export interface OpenedStore {
  /** Below the prefix of the documents. */
  store: ObjectStore
  /** Endpoint, bucket and prefix. */
  place: string
  connectionsMax: number
  close(): void
}

/** Reads a text file that a variable names. */
export function readTextFile(path: string): string {
  return readFileSync(path, 'utf8')
}

/** Reads the `S3_*` variables, `SINGLE_REPLICA` and `PROXY_FOR`. @throws {ConfigError} with all problems at once */
export function readStoreConfig(env: Environment = Bun.env): Promise<StoreConfig> {
  return parseStoreConfig(env, readTextFile)
}

/** Says on standard error that calls go through a proxy: where that refuses or is down, the store cannot be the cause. */
export function remarkOnProxy({ s3 }: StoreConfig): void {
  if (s3.proxy) process.stderr.write('through the proxy of the environment, as PROXY_FOR says\n')
}

/** Opens the store of a configuration; nothing is sent to it yet. */
export function openStore(config: StoreConfig): OpenedStore {
  const { s3, docs } = config
  const { store: shared, close } = openObjectStore(config)
  // The service has to be stopped for it: then this is the only writer.
  const store = config.singleReplica ? decidedInProcess(shared) : shared
  const place = `${s3.endpoint}/${docs.bucket}/${docs.prefix}`
  return { store, place, connectionsMax: s3.connectionsMax, close }
}

/** Opens the whole bucket, without the prefix: for what looks past the service. */
export function openBucket(config: StoreConfig): ObjectStore & { close(): void } {
  return createS3ObjectStore(storeConnection(config))
}

/** Two stores, for commands that copy or compare. */
export interface StorePair {
  source: OpenedStore
  target: OpenedStore
}

/** Flags of commands that work on two stores. */
export interface PairFlags {
  reverse?: true
  parallel: number
  /** Bytes per second. */
  rate: number
  json?: true
}

/** Adds the flags of {@link PairFlags} to a command, and how the two stores are named to its help. */
export function withPair(command: Command): Command {
  return command
    .option('--reverse', 'swap source and target: the way back')
    .option('--parallel <n>', 'documents to work on at once', integerIn(1, 256), 8)
    .addOption(rateOption('move at most this much, all documents together', 64))
    .option('--json', 'one JSON object per line')
    .addHelpText(
      'after',
      `
The S3_* variables of the service name the source. The same variables with TARGET_ before their names
(TARGET_S3_ENDPOINT, TARGET_S3_SECRET_ACCESS_KEY_FILE, …) name the target, with the same rules and defaults.`,
    )
}

/** Returns the flag `--rate`, in MiB per second; its value is in bytes per second. */
export function rateOption(description: string, mebibytes: number): Option {
  const option = new Option('--rate <MiB/s>', description).argParser(parseRate)
  return option.default(parseRate(String(mebibytes)), String(mebibytes))
}

/** What the variables of the second store begin with: `TARGET_S3_ENDPOINT` and so on. */
const targetPrefix = 'TARGET_'

/**
 * Opens the store of the `S3_*` variables and that of the `TARGET_S3_*` ones, works on both and closes them.
 *
 * @throws {ConfigError} with all problems of both at once; also where the two places overlap.
 * @throws {UsageError} where `--parallel` needs more connections than a store may have.
 */
export async function withStorePair<T>(flags: PairFlags, work: (pair: StorePair) => Promise<T>): Promise<T> {
  const ofTarget = Object.entries(Bun.env).flatMap(([name, value]) =>
    name.startsWith(`${targetPrefix}S3_`) || name === `${targetPrefix}SINGLE_REPLICA`
      ? [[name.slice(targetPrefix.length), value]]
      : proxyVariables.some((each) => each === name)
        ? [[name, value]]
        : [],
  )
  const [primary, other] = await Promise.all([
    readOrProblems(Bun.env, ''),
    readOrProblems(Object.fromEntries(ofTarget), targetPrefix),
  ])
  if ('problems' in primary || 'problems' in other) {
    throw new ConfigError([primary, other].flatMap((read) => ('problems' in read ? read.problems : [])))
  }
  refuseSamePlace(primary, other)
  const [one, two] = [openStore(primary), openStore(other)]
  try {
    refuseTooMany(flags, one, two)
    return await work(flags.reverse ? { source: two, target: one } : { source: one, target: two })
  } finally {
    one.close()
    two.close()
  }
}

async function readOrProblems(
  env: Environment,
  prefix: string,
): Promise<StoreConfig | { problems: Problem[] }> {
  try {
    return await readStoreConfig(env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const renamed = (text: string) => text.replaceAll(/\b(S3_|SINGLE_REPLICA)/g, `${prefix}$1`)
    const problems = error.problems.map(({ variable, problem }) => ({
      variable: renamed(variable),
      problem: renamed(problem),
    }))
    return { problems }
  }
}

function refuseSamePlace(one: StoreConfig, other: StoreConfig): void {
  if (one.s3.endpoint !== other.s3.endpoint || !placesOverlap(one.docs, other.docs)) return
  const problem =
    'and S3_PREFIX_DOCS are in one bucket of one store and contain each other: choose separate places'
  throw new ConfigError([{ variable: `${targetPrefix}S3_PREFIX_DOCS`, problem }])
}

/** A copy holds a connection to each store; with fewer connections than copies they would wait for each other. */
function refuseTooMany({ parallel }: PairFlags, one: OpenedStore, two: OpenedStore): void {
  const most = Math.min(one.connectionsMax, two.connectionsMax)
  if (parallel <= most) return
  throw new UsageError(`--parallel ${parallel} is more than S3_CONNECTIONS_MAX of both stores (${most})`)
}
