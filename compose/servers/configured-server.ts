import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { freePorts, onFreePorts } from './free-port.ts'
import { inOwnFolder, type ServerProcess, startServer } from './server-process.ts'

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
  readySecondsMax?: number | undefined
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
export interface ConfiguredKind<Places extends ServerPlaces> {
  name: string
  /** Names of the ports that it listens on. */
  ports: readonly Exclude<keyof Places, keyof ServerPlaces>[]
  argv: (configFile: string, places: Places) => string[]
  isReady: (places: Places) => Promise<boolean>
  readySecondsMax: number
  stopSecondsMax: number
}

/**
 * Runs a server on free ports of 127.0.0.1 with the configuration that `options.config` makes for them.
 *
 * @returns where it listens, and the server.
 * @throws {ServerStartError} if it ends or is not ready in time; nothing is left running then.
 */
export async function startConfigured<Places extends ServerPlaces>(
  kind: ConfiguredKind<Places>,
  options: ConfiguredOptions<Places>,
): Promise<{ places: Places; server: ConfiguredServer }> {
  return onFreePorts(() => runConfigured(kind, options))
}

async function runConfigured<Places extends ServerPlaces>(
  kind: ConfiguredKind<Places>,
  options: ConfiguredOptions<Places>,
): Promise<{ places: Places; server: ConfiguredServer }> {
  const { places, ...server } = await inOwnFolder(kind.name, async (own) => {
    const dataDir = options.dataDir ?? join(own, 'data')
    await mkdir(dataDir, { recursive: true })
    const free = await freePorts(kind.ports.length)
    const ports = Object.fromEntries(kind.ports.map((name, index) => [name, free[index]]))
    const places = { host: '127.0.0.1', dataDir, ...ports } as Places
    const configFile = join(own, 'config.yaml')
    await writeFile(configFile, await options.config(places), { mode: 0o600 })
    const server = await startServer({
      name: kind.name,
      argv: kind.argv(configFile, places),
      env: environment(own, options),
      cwd: own,
      logFile: options.logFile ?? join(own, 'log'),
      isReady: () => kind.isReady(places),
      readySecondsMax: options.readySecondsMax ?? kind.readySecondsMax,
      stopSecondsMax: options.stopSecondsMax ?? kind.stopSecondsMax,
    })
    return { ...server, dataDir, places }
  })
  return { places, server }
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
