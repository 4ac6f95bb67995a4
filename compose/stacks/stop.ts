/**
 * `bun compose/stacks/stop.ts [--remove]`: stops what `up.ts` or `observability/up.ts` started; with `--remove` its data are
 * gone too.
 */
import { defaultStackFolder, openComposeProject } from './compose-project.ts'

const project = await openComposeProject(defaultStackFolder, null, process.env)
await (process.argv.includes('--remove') ? project.remove() : project.stop())
