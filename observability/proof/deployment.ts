import type { StoreConnection, StoreCredentials } from '../../compose/servers/running-store.ts'
import type { YamlMapping } from '../config/yaml.ts'

/** The two servers whose objects are proved. */
export const serverNames = ['loki', 'tempo'] as const
export type ServerName = (typeof serverNames)[number]

/** How a store is reached, whichever it is. */
export type StoreAccess = Omit<StoreConnection, 'kind'>

/**
 * How Loki and Tempo are run for the proof: as processes, or in containers. The checks know nothing else, so
 * they are the same either way. What a deployment starts it also ends: with `close`, whatever happened.
 */
export interface Deployment {
  readonly kind: 'native' | 'compose'
  /** The store as this process reaches it, with keys that the servers have too. */
  readonly store: StoreAccess
  /** True if the store is part of it: `close` ends that, too, with all that is in it. */
  readonly hasOwnStore?: boolean
  /**
   * Starts one server and waits until it is ready to take telemetry and queries.
   *
   * @throws {ServerStartError} if it ends by itself or is not ready in time; nothing is left running then.
   *   With the server's last lines: a refusal is told by them.
   */
  start(launch: Launch): Promise<RunningServer>
  /** A way to the store that can be cut while every other one stays open. */
  openRoute(): Promise<StoreRoute>
  /** Ends all that still runs and removes every disk. Can be repeated. */
  close(): Promise<void>
}

/** One server, as a check wants it. */
export interface Launch {
  server: ServerName
  /** Of its folder, container and evidence; unique in a run, such as `loki-main`. */
  name: string
  /** Of the files below `observability/<server>/`, beside `base`: such as `s3-thanos`, `retention`. */
  variants: readonly string[]
  bucket: string
  /** Ends with a slash. */
  prefix: string
  /** Default: those of the store. */
  credentials?: StoreCredentials | undefined
  /** Default: the server reaches the store directly. */
  route?: StoreRoute | undefined
  /** Changes the rendered configuration last: shorter times for a check, or what a self-test breaks. */
  alter?: ((config: YamlMapping) => YamlMapping) | undefined
  /** A disk that another one was stopped on; default: a new, empty one. */
  disk?: Disk | undefined
  /** Told what it is started with, before it is: YAML without secrets. */
  onConfig?: ((config: string) => void) | undefined
}

/** Where a server keeps its files: a folder or a volume. Removed by `close` of the deployment. */
export interface Disk {
  readonly name: string
}

export interface RunningServer {
  /** Origin of its HTTP API, without a trailing slash. */
  url: string
  /** `<otlpUrl>/v1/logs` or `<otlpUrl>/v1/traces` takes OTLP over HTTP. */
  otlpUrl: string
  disk: Disk
  /**
   * SIGTERM, and waits until it is gone; the disk stays. After the deadline of its kind (Tempo 2.9 hangs once
   * it has been queried) it is killed. Can be repeated.
   */
  stop(): Promise<'ended' | 'killed'>
  /** SIGKILL, and waits until it is gone; the disk stays. */
  kill(): Promise<void>
  /** All that it has printed. */
  log(): Promise<string>
}

export interface StoreRoute {
  /** Origin by which servers reach the store through it. */
  endpoint: string
  /** Variables that a server's environment needs for it. */
  env?: Readonly<Record<string, string>>
  /** From now on connections are refused, and open ones closed. */
  cut(): Promise<void>
  restore(): Promise<void>
}
