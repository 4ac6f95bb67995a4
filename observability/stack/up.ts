/**
 * `bun observability/stack/up.ts [overlay …]`: brings up Loki and Tempo in Docker, on local disk or as the
 * overlays say (overlays/README.md), and says where they are.
 */

import { whyNoDocker } from '../../compose/servers/docker-engine.ts'
import { defaultStackFolder } from '../../compose/stacks/compose-project.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { ConfigError } from '../../service/config/config.ts'
import { upObservability } from './observability-stack.ts'
import { chosenOverlays } from './overlays.ts'

const chosen = chosenOverlays(process.argv.slice(2))
if (typeof chosen === 'string') {
  console.error(chosen)
  process.exit(64)
}
const whyNot = await whyNoDocker()
if (whyNot !== null) {
  console.error(`no usable Docker Engine: ${whyNot}`)
  process.exit(69)
}
try {
  const { urls, folder } = await withProgress('observability', (onProgress) =>
    upObservability({
      folder: defaultStackFolder,
      project: process.env.COMPOSE_PROJECT_NAME ?? 'cloudlysis',
      overlays: chosen,
      env: process.env,
      onProgress,
    }),
  )
  for (const [name, url] of Object.entries(urls)) if (url !== null) console.log(`${name} ${url}`)
  console.log(`secrets are files in ${folder}/secrets`)
  console.log('stop it: bun compose/stacks/stop.ts (with --remove the data go too)')
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(78)
}
