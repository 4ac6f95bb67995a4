import type { OnProgress } from '../../service/cli/progress.ts'
import { mustRun, runCommand } from '../run-command.ts'
import type { DockerEnvironment } from '../servers/docker-engine.ts'

/** How to obtain one of the images that the compose files pin. */
export interface ImageSource {
  /** What the compose files pin: name and tag. */
  standard: string
  /** The operator's choice instead of `standard`, if any. */
  chosen: string | undefined
  /** True if packing it from files of this machine is tried first. */
  packsFirst: () => Promise<boolean>
  /** Returns a word that changes with everything that determines what {@link pack} packs. */
  madeFrom: () => Promise<string>
  pack: (madeFrom: string) => Promise<void>
  /** Obtains the image if it is not packed first. */
  otherwise: () => Promise<void>
}

/** Label of a packed image that says what it was made from. */
export const madeFromLabel = 'cloudlysis.made-from'

/**
 * Makes sure that the engine has an image: uses an existing one, unless it was packed from something that has changed
 * since; otherwise obtains it as `source` says. An image that the operator chose is only pulled.
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

/** Pulls an image. @throws {CommandError} if no registry has it, or none can be reached. */
export async function pullImage(
  image: string,
  env: DockerEnvironment,
  onProgress: OnProgress,
): Promise<void> {
  onProgress(`pulling ${image}`)
  await mustRun(['docker', 'pull', image], { env })
}
