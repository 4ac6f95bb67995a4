/** `bun compose/stacks/stop.ts [--remove]`: stops what `up.ts` of a stack started. */
import { createCommand, exitCodes, runCommand } from '../../service/cli/command.ts'
import { defaultStackFolder, openComposeProject } from './compose-project.ts'

const command = createCommand(
  'bun compose/stacks/stop.ts',
  'Stops the local stacks in Docker; data stay.',
).option('--remove', 'remove the containers, networks and data as well')

await runCommand<{ remove?: true }>(command, async ({ remove }) => {
  const project = await openComposeProject(defaultStackFolder, null, process.env)
  await (remove ? project.remove() : project.stop())
  return exitCodes.done
})
