/**
 * `bun run observability render [name…]`: writes the configurations of Loki, Tempo and the Collector for containers to
 * mount. README.md lists the variants.
 */
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { createCommand, exitCodes, runCommand, setAction, UsageError } from '../../service/cli/command.ts'
import { printLine } from '../../service/cli/output.ts'
import { lokiVariantFor, type RenderContext, writeConfiguration } from './configurations.ts'
import { VariantError, variantOrder } from './variants.ts'

const root = resolve(import.meta.dir, '../..')

const program = createCommand('bun run observability', 'Configures Loki, Tempo and the Collector.')

const render = program
  .command('render')
  .description('Writes configurations of Loki, Tempo and the Collector for containers.')
  .argument(
    '[names...]',
    'such as loki.s3-thanos.retention (default: what LOKI_CONFIG, TEMPO_CONFIG and COLLECTOR_CONFIG name, or the recommended ones)',
  )
  .option('--out <folder>', 'where to write them', resolve(root, '.local/observability'))
  .addHelpText(
    'after',
    `
A name is a server and variants over its base: ${Object.entries(variantOrder)
      .map(([server, variants]) => `${server} (${variants.join(', ')})`)
      .join(', ')};
loki.local and tempo.local are the bases alone, and tempo3 is Tempo 3.0.
Reads the S3_* variables of the service, but no keys: those reach Loki and Tempo in a file.`,
  )

setAction<{ out: string }>(render, async ({ out }, { args }) => {
  const context = { env: process.env, readFile: (path: string) => readFileSync(path, 'utf8') }
  for (const name of args.length > 0 ? args : await defaultNames(context)) {
    const file = await writeConfiguration(resolve(out), name, context).catch(refused)
    await printLine(relative(process.cwd(), file))
  }
  return exitCodes.done
})

await runCommand(program)

async function defaultNames(context: RenderContext): Promise<string[]> {
  const { env } = context
  const isOnS3 = Object.keys(env).some((name) => name.startsWith('S3_'))
  return [
    env.LOKI_CONFIG ?? `loki.${isOnS3 ? await lokiVariantFor(context) : 'local'}`,
    env.TEMPO_CONFIG ?? `tempo.${isOnS3 ? 's3' : 'local'}`,
    env.COLLECTOR_CONFIG ?? 'collector',
  ]
}

function refused(error: unknown): never {
  throw error instanceof VariantError ? new UsageError(error.message) : error
}
