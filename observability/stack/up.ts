/**
 * `bun observability/stack/up.ts [overlay…]`: brings up Loki and Tempo in Docker, on local disk or as the overlays
 * say (overlays/README.md), and says where they are.
 */

import { requireDocker } from '../../compose/servers/docker-engine.ts'
import { defaultStackFolder } from '../../compose/stacks/compose-project.ts'
import { createCommand, exitCodes, runCommand, UsageError } from '../../service/cli/command.ts'
import { printLine } from '../../service/cli/output.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { upObservability } from './observability-stack.ts'
import { chosenOverlays } from './overlays.ts'

const command = createCommand(
  'bun observability/stack/up.ts',
  'Brings up Loki and Tempo in Docker, on local disk or as the overlays say.',
).argument('[overlays...]', 'names of overlays (overlays/README.md)')

await runCommand(command, async (_flags, { args }) => {
  const overlays = chosenOverlays([...args])
  if (typeof overlays === 'string') throw new UsageError(overlays)
  await requireDocker()
  const { urls, folder } = await withProgress('observability', (onProgress) =>
    upObservability({
      folder: defaultStackFolder,
      project: process.env.COMPOSE_PROJECT_NAME ?? 'cloudlysis',
      overlays,
      env: process.env,
      onProgress,
    }),
  )
  for (const [name, url] of Object.entries(urls)) if (url !== null) await printLine(`${name} ${url}`)
  await printLine(`secrets are files in ${folder}/secrets`)
  await printLine('stop it: bun compose/stacks/stop.ts (with --remove, which also deletes its data)')
  return exitCodes.done
})
