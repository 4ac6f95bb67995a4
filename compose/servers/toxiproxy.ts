import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { buildServer } from './build-server.ts'
import { freePort, onFreePorts } from './free-port.ts'
import { answersOk, inOwnFolder, type ServerProcess, startServer } from './server-process.ts'

const answerSecondsMax = 5

/** A fault on one way of a connection (github.com/Shopify/toxiproxy, "Toxics"). */
export interface Toxic {
  name: string
  type: 'latency' | 'bandwidth' | 'slow_close' | 'timeout' | 'reset_peer' | 'slicer' | 'limit_data'
  /** `downstream`, the default: what the upstream sends to the client. */
  stream?: 'upstream' | 'downstream'
  /** Part of the connections that it hits, 0–1; default: all. */
  toxicity?: number
  /** Such as `{ latency: 1000 }` (milliseconds). */
  attributes: Readonly<Record<string, number>>
}

/** A TCP port that forwards everything until a toxic is added. */
export interface ToxiProxy {
  name: string
  /** `127.0.0.1:<port>`, where it listens. */
  host: string
  /** While disabled, it refuses connections and closes open ones. */
  setEnabled(enabled: boolean): Promise<void>
  addToxic(toxic: Toxic): Promise<void>
  removeToxic(name: string): Promise<void>
}

export interface RunningToxiproxy extends Pick<ServerProcess, 'pid' | 'logFile' | 'kill' | 'exited'> {
  /** Origin of its HTTP API. */
  url: string
  /** @param upstream `host:port` to forward to. */
  addProxy(name: string, upstream: string): Promise<ToxiProxy>
  stop(): Promise<void>
}

/**
 * Builds Toxiproxy if need be and runs it on 127.0.0.1 until `stop`, without a proxy in it.
 *
 * @throws {ServerBuildError} without a Go toolchain. @throws {ServerStartError} if it does not come up.
 */
export async function startToxiproxy({
  onProgress,
}: {
  onProgress?: OnProgress | undefined
} = {}): Promise<RunningToxiproxy> {
  const binary = await buildServer('toxiproxy', { onProgress })
  return onFreePorts(() => runToxiproxy(binary))
}

async function runToxiproxy(binary: string): Promise<RunningToxiproxy> {
  return inOwnFolder('toxiproxy', async (own) => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const server = await startServer({
      name: 'toxiproxy',
      argv: [binary, '-host', '127.0.0.1', '-port', String(port)],
      env: { HOME: own, PATH: '/usr/bin:/bin' },
      cwd: own,
      logFile: join(own, 'log'),
      isReady: () => answersOk(`${url}/version`),
      readySecondsMax: 10,
      stopSecondsMax: 5,
    })
    return { ...server, url, addProxy: (name: string, upstream: string) => addProxy(url, name, upstream) }
  })
}

/**
 * Adds a proxy to a Toxiproxy that runs.
 *
 * @param url origin of its HTTP API. @param listen `host:port`; default: a free port on loopback.
 * @throws {Error} unless it succeeds.
 */
export async function addProxy(
  url: string,
  name: string,
  upstream: string,
  listen = '127.0.0.1:0',
): Promise<ToxiProxy> {
  const made = await call(`${url}/proxies`, 'POST', { name, listen, upstream, enabled: true })
  const { listen: host } = (await made.json()) as { listen: string }
  const own = `${url}/proxies/${name}`
  return {
    name,
    host,
    async setEnabled(enabled) {
      await call(own, 'POST', { enabled })
    },
    async addToxic(toxic) {
      await call(`${own}/toxics`, 'POST', toxic)
    },
    async removeToxic(toxic) {
      await call(`${own}/toxics/${toxic}`, 'DELETE')
    },
  }
}

async function call(url: string, method: 'POST' | 'DELETE', body?: object): Promise<Response> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(answerSecondsMax * 1000),
  })
  if (!response.ok) throw new Error(`toxiproxy: ${response.status} ${await response.text()}`)
  return response
}
