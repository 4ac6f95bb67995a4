import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { buildServer } from './build-server.ts'
import { freePorts, onFreePorts } from './free-port.ts'
import { inOwnFolder, type ServerProcess, startServer } from './server-process.ts'
import type { BuiltServer } from './server-recipe.ts'

/** Where a server listens and keeps its files; its configuration is made for these. */
export interface ServerPlaces {
  /** Address to listen on, such as `127.0.0.1`. */
  host: string
  /** Absolute path. */
  dataDir: string
}

export interface ConfiguredOptions<Places> {
  /** Returns the configuration for these places. It holds no secret. */
  config: (places: Places) => string | Promise<string>
  /** Kept after `stop`; default: a temporary folder, removed by `stop`. */
  dataDir?: string | undefined
  /** Standard output and error are appended there; default: in the temporary folder. */
  logFile?: string | undefined
  /** Keys to the store, in the form of the AWS shared credentials file. */
  credentialsFile?: string | undefined
  /** Further variables; nothing else is inherited. */
  env?: Readonly<Record<string, string>> | undefined
  /** How long `stop` waits after SIGTERM before it kills. */
  stopSecondsMax?: number | undefined
  /** Receives the progress of a build. */
  onProgress?: OnProgress | undefined
}

/** A server that runs on 127.0.0.1 with a configuration file. */
export interface ConfiguredServer
  extends Pick<ServerProcess, 'pid' | 'logFile' | 'pause' | 'resume' | 'kill' | 'exited'> {
  dataDir: string
  /** Ends it and removes its own temporary folder; a data folder and a log that the caller gave stay. */
  stop(): Promise<void>
}

/** What distinguishes the servers that read one configuration file. */
interface ConfiguredKind<Places extends ServerPlaces, Urls> {
  name: BuiltServer
  /** Names of the ports that it listens on. */
  ports: readonly Exclude<keyof Places, keyof ServerPlaces>[]
  /** Option of the program that names its configuration file, such as `-config.file`. */
  configOption: string
  /** Where it answers. */
  urls: (places: Places) => Urls
  isReady: (urls: Urls) => Promise<boolean>
  readySecondsMax: number
  stopSecondsMax: number
}

/**
 * Builds a server if need be and runs it on free ports of 127.0.0.1 with the configuration that `options.config` makes
 * for them.
 *
 * @throws {ServerBuildError} without a Go toolchain. @throws {ServerStartError} if it ends or is not ready in time;
 *   nothing is left running then.
 */
export async function startConfigured<Places extends ServerPlaces, Urls>(
  kind: ConfiguredKind<Places, Urls>,
  options: ConfiguredOptions<Places>,
): Promise<ConfiguredServer & Urls> {
  const binary = await buildServer(kind.name, { onProgress: options.onProgress })
  const start = async (own: string) => {
    const dataDir = options.dataDir ?? join(own, 'data')
    await mkdir(dataDir, { recursive: true })
    const free = await freePorts(kind.ports.length)
    const ports = Object.fromEntries(kind.ports.map((name, index) => [name, free[index]]))
    const places = { host: '127.0.0.1', dataDir, ...ports } as Places
    const urls = kind.urls(places)
    const configFile = join(own, 'config.yaml')
    await writeFile(configFile, await options.config(places), { mode: 0o600 })
    const server = await startServer({
      name: kind.name,
      argv: [binary, `${kind.configOption}=${configFile}`],
      env: environment(own, options),
      cwd: own,
      logFile: options.logFile ?? join(own, 'log'),
      isReady: () => kind.isReady(urls),
      readySecondsMax: kind.readySecondsMax,
      stopSecondsMax: options.stopSecondsMax ?? kind.stopSecondsMax,
    })
    return { ...server, dataDir, ...urls }
  }
  return onFreePorts(() => inOwnFolder(kind.name, start))
}

function environment<Places>(own: string, { credentialsFile, env }: ConfiguredOptions<Places>) {
  return {
    HOME: own,
    PATH: '/usr/bin:/bin',
    // Where the file has no keys, AWS's libraries would ask the metadata service of a cloud for some.
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(credentialsFile === undefined ? {} : { AWS_SHARED_CREDENTIALS_FILE: credentialsFile }),
    ...env,
  }
}
