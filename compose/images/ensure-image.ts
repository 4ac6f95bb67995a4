import type { DockerEnvironment } from '../docker-engine.ts'
import { mustRun, runCommand } from '../run-command.ts'
import type { OnProgress } from '../servers/progress.ts'

/** How to come by one of the images that the compose files pin. */
export interface ImageSource {
  /** What the compose files pin: name and tag. */
  standard: string
  /** What the user chose in place of `standard`, if anything. */
  chosen: string | undefined
  /** True if it is packed from files of this machine before anything else is tried. */
  packsFirst: () => Promise<boolean>
  pack: () => Promise<void>
  /** Where it is not packed first. */
  otherwise: () => Promise<void>
}

/**
 * Makes sure that the engine has an image: takes the one that is there, else comes by it as `source` says. An
 * image of the user's own choice is pulled and nothing else.
 *
 * @returns the image's name.
 * @throws {CommandError} if the engine cannot get it. @throws {ServerBuildError} if a native build fails.
 */
export async function ensureImage(
  source: ImageSource,
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<string> {
  const image = source.chosen ?? source.standard
  const inspect = await runCommand(['docker', 'image', 'inspect', '--format', '{{.Id}}', image], { env })
  if (inspect.exitCode === 0) return image
  if (image !== source.standard) await pullImage(image, env, onProgress)
  else if (await source.packsFirst()) await source.pack()
  else await source.otherwise()
  return image
}

/** @throws {CommandError} if no registry has it, or none can be reached. */
export async function pullImage(
  image: string,
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<void> {
  onProgress(`pulling ${image}`)
  await mustRun(['docker', 'pull', image], { env })
}
