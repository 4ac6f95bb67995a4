import { IncompleteError } from '../../service/cli/command.ts'
import type { OnProgress } from '../../service/cli/progress.ts'
import { runCommand } from '../run-command.ts'
import { buildServer } from './build-server.ts'

/** Environment for the `docker` command, `DOCKER_HOST` above all. */
export type DockerEnvironment = Record<string, string | undefined>

/** Returns `null` if the `docker` command reaches an engine, otherwise the reason in one line. */
export async function whyNoDocker(env: DockerEnvironment = process.env): Promise<string | null> {
  const version = ['docker', 'version', '--format', '{{.Server.Version}}']
  const answer = await runCommand(version, { env, secondsMax: 10 })
  if (answer.exitCode === 0) return null
  const [firstLine = 'no answer'] = answer.stderr.trim().split('\n')
  return firstLine
}

/** Checks that the `docker` command reaches an engine. @throws {IncompleteError} if it does not */
export async function requireDocker(): Promise<void> {
  const whyNot = await whyNoDocker()
  if (whyNot !== null) throw new IncompleteError(`no usable Docker Engine: ${whyNot}`)
}

/**
 * Returns the command that runs Docker Compose: the engine's own plug-in from 2.24 on (older ones do not know
 * everything that our files use), otherwise the pinned one, which is built on the first call.
 *
 * @throws {ServerBuildError} if it has to be built and cannot be.
 */
export async function composeCommand(env: DockerEnvironment, onProgress?: OnProgress): Promise<string[]> {
  const { exitCode, stdout } = await runCommand(['docker', 'compose', 'version', '--short'], { env })
  if (exitCode === 0 && Bun.semver.satisfies(stdout.trim().replace(/^v/, ''), '>=2.24.0')) {
    return ['docker', 'compose']
  }
  return [await buildServer('docker-compose', { onProgress })]
}
