import { mustRun, runCommand } from '../../compose/run-command.ts'
import type { DockerEnvironment } from '../../compose/servers/docker-engine.ts'

/** Exit code of a container that ended by SIGKILL: 128 plus the signal's number. */
const killedExitCode = 137

/** A container. */
export interface Container {
  /** Returns false once its program has ended. */
  isRunning(): Promise<boolean>
  /** Returns everything that its program has printed, also after its end. */
  log(): Promise<string>
  /** Sends SIGTERM, and SIGKILL after `secondsMax`; waits until it is gone. Can be repeated. */
  stop(secondsMax: number): Promise<'ended' | 'killed'>
  /** Sends SIGKILL and waits until it is gone. Can be repeated. */
  kill(): Promise<void>
}

/** Returns the container with this id. Its methods throw {CommandError} if the engine fails. */
export function containerWithId(id: string, env: DockerEnvironment): Container {
  const inspect = async (what: string) =>
    (await mustRun(['docker', 'inspect', '--format', what, id], { env })).trim()
  return {
    isRunning: async () => (await inspect('{{.State.Running}}')) === 'true',
    log: async () => {
      const { stdout, stderr } = await runCommand(['docker', 'logs', id], { env })
      return stdout + stderr
    },
    stop: async (secondsMax) => {
      await mustRun(['docker', 'stop', '--time', String(secondsMax), id], { env })
      return Number(await inspect('{{.State.ExitCode}}')) === killedExitCode ? 'killed' : 'ended'
    },
    kill: async () => {
      await mustRun(['docker', 'stop', '--time', '0', id], { env })
    },
  }
}
