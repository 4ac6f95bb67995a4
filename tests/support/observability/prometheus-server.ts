import { dirname, join } from 'node:path'
import { freePort, onFreePorts } from '../../../compose/servers/free-port.ts'
import { installPrometheus } from '../../../compose/servers/prometheus.ts'
import {
  answersOk,
  inOwnFolder,
  type ServerProcess,
  startServer,
} from '../../../compose/servers/server-process.ts'
import type { OnProgress } from '../../../service/cli/progress.ts'

export interface PrometheusOptions {
  /** Writes the configuration for this port, and returns its path; relative paths in it start at its folder. */
  configFile: (places: { httpPort: number }) => string | Promise<string>
  /** Receives the progress of an installation. */
  onProgress?: OnProgress | undefined
}

export interface RunningPrometheus
  extends Pick<ServerProcess, 'pid' | 'logFile' | 'pause' | 'resume' | 'kill' | 'exited'> {
  /** Origin of its HTTP API. */
  url: string
  /** Of Prometheus itself, such as `2.42.0`. */
  version: string
  stop(): Promise<void>
}

/**
 * Installs Prometheus if need be (a Debian package, which takes root) and runs it on 127.0.0.1 until `stop`.
 *
 * @throws {ServerBuildError} if it is missing and cannot be installed. @throws {ServerStartError} if it does not
 *   come up, such as with a configuration that it refuses.
 */
export async function startPrometheus(options: PrometheusOptions): Promise<RunningPrometheus> {
  const version = await installPrometheus(options.onProgress)
  return { ...(await onFreePorts(() => runPrometheus(options))), version }
}

async function runPrometheus(options: PrometheusOptions): Promise<Omit<RunningPrometheus, 'version'>> {
  return inOwnFolder('prometheus', async (own) => {
    const httpPort = await freePort()
    const config = await options.configFile({ httpPort })
    const host = `127.0.0.1:${httpPort}`
    const data = `--storage.tsdb.path=${join(own, 'data')}`
    const server = await startServer({
      name: 'prometheus',
      argv: ['prometheus', `--config.file=${config}`, data, `--web.listen-address=${host}`],
      env: { HOME: own, PATH: '/usr/bin:/bin' },
      cwd: dirname(config),
      logFile: join(own, 'log'),
      isReady: () => answersOk(`http://${host}/-/ready`),
      readySecondsMax: 30,
      stopSecondsMax: 10,
    })
    return { ...server, url: `http://${host}` }
  })
}
