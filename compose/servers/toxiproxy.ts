import { join } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { directToLoopback } from '../../service/wire/loopback.ts'
import { buildServer } from './build-server.ts'
import { freePort, onFreePorts } from './free-port.ts'
import { answersOk, inOwnFolder, type ServerProcess, startServer } from './server-process.ts'

const answerSecondsMax = 5

/** A TCP port that forwards everything while it is enabled. */
export interface ToxiProxy {
  name: string
  /** `127.0.0.1:<port>`, where it listens. */
  host: string
  /** While disabled, it refuses connections and closes open ones. */
  setEnabled(enabled: boolean): Promise<void>
  /** Adds a toxic to all connections, also to those that are open. */
  addToxic(toxic: Toxic): Promise<void>
  /** Removes all toxics; connections that they have damaged are closed. */
  removeToxics(): Promise<void>
}

/**
 * What a proxy does to the bytes that pass (https://github.com/Shopify/toxiproxy, "Toxics"): times are milliseconds
 * (`delay` of `slicer`: microseconds), `rate` is KB/s, sizes are bytes.
 */
export interface Toxic {
  type: 'latency' | 'timeout' | 'reset_peer' | 'slicer' | 'bandwidth' | 'limit_data' | 'slow_close'
  /** `upstream`: from the client to the server. */
  stream: 'upstream' | 'downstream'
  attributes: Readonly<Record<string, number>>
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
 * Adds a proxy to a running Toxiproxy.
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
  const made = await post(`${url}/proxies`, { name, listen, upstream, enabled: true })
  const { listen: host } = (await made.json()) as { listen: string }
  const own = `${url}/proxies/${name}`
  return {
    name,
    host,
    async setEnabled(enabled) {
      await post(own, { enabled })
    },
    async addToxic({ type, stream, attributes }) {
      await post(`${own}/toxics`, { name: `${type}-${stream}`, type, stream, attributes })
    },
    async removeToxics() {
      const toxics = (await (await call(`${own}/toxics`)).json()) as { name: string }[]
      for (const toxic of toxics) await call(`${own}/toxics/${toxic.name}`, { method: 'DELETE' })
    },
  }
}

function post(url: string, body: object): Promise<Response> {
  return call(url, { method: 'POST', body: JSON.stringify(body) })
}

async function call(url: string, request: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, {
    ...directToLoopback(url),
    ...request,
    signal: AbortSignal.timeout(answerSecondsMax * 1000),
  })
  if (!response.ok) throw new Error(`toxiproxy: ${response.status} ${await response.text()}`)
  return response
}
