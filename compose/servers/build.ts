/** `bun compose/servers/build.ts [minio mc loki …]`: builds servers natively (default: all) and prints their paths. */
import { Argument } from 'commander'
import { createCommand, exitCodes, runCommand } from '../../service/cli/command.ts'
import { printLine } from '../../service/cli/output.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { buildServer } from './build-server.ts'
import { builtServers } from './server-recipe.ts'

const command = createCommand(
  'bun compose/servers/build.ts',
  'Builds servers natively (default: all of them), and prints the paths of their binaries.',
).addArgument(new Argument('[servers...]').choices(builtServers))

await runCommand(command, async (_flags, { args }) => {
  for (const name of builtServers.filter((name) => args.length === 0 || args.includes(name))) {
    await printLine(await withProgress(`building ${name}`, (onProgress) => buildServer(name, { onProgress })))
  }
  return exitCodes.done
})
