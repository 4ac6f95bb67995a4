import type { StoreConnection, StoreCredentials } from '../../compose/servers/running-store.ts'
import type { YamlMapping } from '../config/yaml.ts'

/** The two servers whose objects are proved. */
export const serverNames = ['loki', 'tempo'] as const
export type ServerName = (typeof serverNames)[number]

/** How any store is reached. */
export type StoreAccess = Omit<StoreConnection, 'kind'>

/**
 * Runs Loki and Tempo for the proof, as processes or in containers. The checks use only this interface, so they are
 * the same either way. A deployment ends everything that it has started: with `close`, whatever happened.
 */
export interface Deployment {
  readonly kind: 'native' | 'compose'
  /** The store as this process reaches it, with the keys that the servers have. */
  readonly store: StoreAccess
  /** True if the store is part of the deployment: `close` then also ends the store, and removes its contents. */
  readonly hasOwnStore?: boolean
  /**
   * Starts one server and waits until it is ready to take telemetry and queries.
   *
   * @throws {ServerStartError} if it ends by itself or is not ready in time; nothing is left running then.
   *   It contains the server's last lines, which tell a refusal.
   */
  start(launch: Launch): Promise<RunningServer>
  /** Opens a route to the store that can be cut while every other one stays open. */
  openRoute(): Promise<StoreRoute>
  /** Ends everything that still runs and removes every disk. Can be repeated. */
  close(): Promise<void>
}

/** How a check starts one server. */
export interface Launch {
  server: ServerName
  /** Name of its folder, container and evidence; unique in a run, such as `loki-main`. */
  name: string
  /** Files below `observability/config/<server>/` in addition to `base`, such as `s3-thanos` or `retention`. */
  variants: readonly string[]
  bucket: string
  /** Ends with a slash. */
  prefix: string
  /** Default: those of the store. */
  credentials?: StoreCredentials | undefined
  /** Default: the server reaches the store directly. */
  route?: StoreRoute | undefined
  /** Changes the rendered configuration, such as to shorter times for a check. */
  alter?: ((config: YamlMapping) => YamlMapping) | undefined
  /** The disk of a server that was stopped; default: a new, empty one. */
  disk?: Disk | undefined
  /** Called with its configuration before it starts: YAML without secrets. */
  onConfig?: ((config: string) => void) | undefined
}

/** Where a server keeps its files: a folder or a volume. Removed by `close` of the deployment. */
export interface Disk {
  readonly name: string
}

/** A server that takes telemetry. */
export type Writer = Pick<RunningServer, 'url' | 'otlpUrl'>

export interface RunningServer {
  /** Origin of its HTTP API, without a trailing slash. */
  url: string
  /** `<otlpUrl>/v1/logs` or `<otlpUrl>/v1/traces` takes OTLP over HTTP. */
  otlpUrl: string
  disk: Disk
  /**
   * Sends SIGTERM and waits until it is gone; the disk stays. After the deadline of its kind (Tempo 2.9 hangs once it
   * has been queried) it is killed. Can be repeated.
   */
  stop(): Promise<'ended' | 'killed'>
  /** Sends SIGKILL and waits until it is gone; the disk stays. */
  kill(): Promise<void>
  /** Returns everything that it has printed. */
  log(): Promise<string>
}

export interface StoreRoute {
  /** Origin by which servers reach the store through it. */
  endpoint: string
  /** Environment variables that a server needs for it. */
  env?: Readonly<Record<string, string>>
  /** Refuses connections from now on, and closes open ones. */
  cut(): Promise<void>
  /** Accepts connections again. */
  restore(): Promise<void>
}
