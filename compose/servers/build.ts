/** `bun compose/servers/build.ts [minio mc loki …]`: builds them (default: all), prints their paths. */

import { withProgress } from '../../service/cli/progress.ts'
import { buildServer, ServerBuildError } from './build-server.ts'
import { builtServers } from './server-recipe.ts'

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !builtServers.some((known) => known === name))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are ${builtServers.join(', ')}`)
  process.exit(64)
}
try {
  for (const name of builtServers.filter((name) => asked.length === 0 || asked.includes(name))) {
    console.log(await withProgress(`building ${name}`, (onProgress) => buildServer(name, { onProgress })))
  }
} catch (error) {
  if (!(error instanceof ServerBuildError)) throw error
  console.error(`error: ${error.message}`)
  process.exit(1)
}
