import { mustRun } from '../../../compose/run-command.ts'
import { type DockerEnvironment, whyNoDocker } from '../../../compose/servers/docker-engine.ts'
import { type RunningDocker, startDocker } from './dockerd.ts'

let shared: Promise<DockerEnvironment> | undefined
let started: RunningDocker | undefined

/**
 * Environment of a usable Docker Engine for the tests of this process: the machine's own if there is one,
 * otherwise one that is started here (as root on Linux; `docker.io` is installed if need be) and stopped at the end.
 *
 * @throws {Error} if there is none and none can be started; it says what to install.
 */
export function dockerForTests(): Promise<DockerEnvironment> {
  shared ??= findOrStart()
  return shared
}

/** Stops what {@link dockerForTests} started, if it did; `preload.ts` calls it at the end. */
export async function stopDockerForTests(): Promise<void> {
  await started?.stop()
}

async function findOrStart(): Promise<DockerEnvironment> {
  const whyNot = await whyNoDocker()
  if (whyNot === null) return process.env
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error(`no usable Docker Engine (${whyNot}): install one, or run as root on Debian`)
  }
  if (Bun.which('dockerd') === null || Bun.which('docker') === null) {
    await mustRun(['apt-get', 'install', '--yes', '--no-install-recommends', 'docker.io', 'iptables'])
  }
  // Nothing listens there: containers have to work although their environment names a proxy.
  started = await startDocker({ proxy: 'http://127.0.0.1:9' })
  return started.env
}
