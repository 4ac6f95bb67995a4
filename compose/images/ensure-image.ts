import type { OnProgress } from '../../service/cli/progress.ts'
import { mustRun, runCommand } from '../run-command.ts'
import type { DockerEnvironment } from '../servers/docker-engine.ts'

/** How to come by one of the images that the compose files pin. */
export interface ImageSource {
  /** What the compose files pin: name and tag. */
  standard: string
  /** What the user chose in place of `standard`, if anything. */
  chosen: string | undefined
  /** True if it is packed from files of this machine before anything else is tried. */
  packsFirst: () => Promise<boolean>
  /** Changes with everything that decides what {@link pack} packs. */
  madeFrom: () => Promise<string>
  pack: (madeFrom: string) => Promise<void>
  /** Where it is not packed first. */
  otherwise: () => Promise<void>
}

/** Label of a packed image: from what it was made. */
export const madeFromLabel = 'cloudlysis.made-from'

/**
 * Makes sure that the engine has an image: takes the one that is there, unless it was packed from something that
 * has changed since; else comes by it as `source` says. An image of the user's own choice is pulled and nothing
 * else.
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
  const labelled = `{{index .Config.Labels "${madeFromLabel}"}}`
  const { exitCode, stdout } = await runCommand(['docker', 'image', 'inspect', '--format', labelled, image], {
    env,
  })
  const madeFrom = await source.madeFrom()
  if (exitCode === 0 && ['', madeFrom].includes(stdout.trim())) return image
  if (image !== source.standard) await pullImage(image, env, onProgress)
  else if (await source.packsFirst()) await source.pack(madeFrom)
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
