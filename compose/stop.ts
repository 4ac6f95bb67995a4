/** `bun compose/stop.ts [--remove]`: stops what `up.ts` started; with `--remove` its data are gone too. */
import { defaultStackFolder } from './compose-project.ts'
import { openObjectStoreStack } from './object-store-stack.ts'

const stack = await openObjectStoreStack(defaultStackFolder, process.env)
await (process.argv.includes('--remove') ? stack.remove() : stack.stop())
