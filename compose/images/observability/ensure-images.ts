/**
 * `bun compose/images/observability/ensure-images.ts <service> …`: takes, packs or pulls the images of these services, as
 * `up.ts` does, and prints their names. Exit codes: 0 they are there, 64 wrong usage, 69 no engine.
 */

import { withProgress } from '../../../service/cli/progress.ts'
import { whyNoDocker } from '../../servers/docker-engine.ts'
import { ensureImages, type ObservabilityService, observabilityImages } from './images.ts'

const known = Object.keys(observabilityImages) as ObservabilityService[]
const services = known.filter((name) => process.argv.slice(2).includes(name))
if (services.length === 0 || services.length < process.argv.length - 2) {
  console.error(`name services: there are ${known.join(', ')}`)
  process.exit(64)
}
const whyNot = await whyNoDocker()
if (whyNot !== null) {
  console.error(`no usable Docker Engine: ${whyNot}`)
  process.exit(69)
}
const images = await withProgress('images', (onProgress) => ensureImages(services, process.env, onProgress))
for (const image of Object.values(images)) console.log(image)
