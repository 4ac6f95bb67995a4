/** `bun compose/images/observability/ensure-images.ts <service…>`: takes, packs or pulls images, as `up.ts` does. */
import { Argument } from 'commander'
import { createCommand, exitCodes, runCommand } from '../../../service/cli/command.ts'
import { printLine } from '../../../service/cli/output.ts'
import { withProgress } from '../../../service/cli/progress.ts'
import { requireDocker } from '../../servers/docker-engine.ts'
import { ensureImages, observabilityImages } from './images.ts'
import type { ObservabilityService } from './pack-image.ts'

const known = Object.keys(observabilityImages) as ObservabilityService[]

const command = createCommand(
  'bun compose/images/observability/ensure-images.ts',
  'Makes sure that the Docker Engine has the images of these services, and prints their names.',
).addArgument(new Argument('<services...>').choices(known))

await runCommand(command, async (_flags, { args }) => {
  const services = known.filter((name) => args.includes(name))
  await requireDocker()
  const images = await withProgress('images', (onProgress) => ensureImages(services, process.env, onProgress))
  for (const image of Object.values(images)) await printLine(image)
  return exitCodes.done
})
