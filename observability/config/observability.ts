/**
 * `bun run observability render`: writes what Loki, Tempo and the Collector are told, in every combination that the
 * environment can express, for containers to mount. README.md has the matrix.
 */
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { type Rendered, renderCombinations } from './render-combinations.ts'

const usageExitCode = 64
const configurationExitCode = 78
const root = resolve(import.meta.dir, '../..')

process.exitCode = await main()

async function main(): Promise<number> {
  let exitCode = 0
  const program = new Command('bun run observability').exitOverride()
  program
    .command('render')
    .description('Writes the configurations of Loki, Tempo and the Collector, one file for each combination.')
    .option('--out <folder>', 'where to', resolve(root, '.local/observability'))
    .exitOverride()
    .addHelpText(
      'after',
      `
Reads the S3_* variables of the service, but no keys: those reach Loki and Tempo in a file.
Exit codes: 0 written, some perhaps left out, 64 wrong usage, 78 S3_* is set and no store can be expressed.`,
    )
    .action(async ({ out }: { out: string }) => {
      exitCode = await render(resolve(out))
    })
  try {
    await program.parseAsync()
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : usageExitCode
  }
}

async function render(folder: string): Promise<number> {
  const rendered = await renderCombinations(folder, process.env, (path) => readFileSync(path, 'utf8'))
  const written = rendered.filter(({ file }) => file !== null)
  for (const { file } of written) console.log(relative(process.cwd(), file ?? ''))
  const left = rendered.filter(({ file }) => file === null)
  for (const line of reasons(left)) console.error(line)
  const isStoreNamed = Object.keys(process.env).some((name) => name.startsWith('S3_'))
  return isStoreNamed && !written.some(({ name }) => name.includes('.s3')) ? configurationExitCode : 0
}

/** Combinations that are left out for the same reason, together. */
function reasons(left: readonly Rendered[]): string[] {
  const groups = Map.groupBy(left, ({ why }) => why.join('\n'))
  return [...groups].flatMap(([why, group]) => [
    `not written: ${group.map(({ name }) => name).join(', ')}`,
    ...why.split('\n').map((line) => `  ${line}`),
  ])
}
