/**
 * `bun run observability render`: writes the configurations of Loki, Tempo and the Collector, in every combination that
 * the environment can express, for containers to mount. README.md has the matrix.
 */
import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { createCommand, exitCodes, runCommand, setAction } from '../../service/cli/command.ts'
import { complain, printLine } from '../../service/cli/output.ts'
import { type Rendered, renderCombinations } from './render-combinations.ts'

const root = resolve(import.meta.dir, '../..')

const program = createCommand('bun run observability', 'Configures Loki, Tempo and the Collector.')

const render = program
  .command('render')
  .description('Writes the configurations of Loki, Tempo and the Collector, one file for each combination.')
  .option('--out <folder>', 'where to write them', resolve(root, '.local/observability'))
  .addHelpText(
    'after',
    `
Reads the S3_* variables of the service, but no keys: those reach Loki and Tempo in a file.
Combinations that the environment cannot express are left out, with the reason. It is a wrong configuration (exit
code 2) if S3_* is set and no combination with a store can be expressed.`,
  )

setAction<{ out: string }>(render, async ({ out }) => {
  const rendered = await renderCombinations(resolve(out), process.env, (path) => readFileSync(path, 'utf8'))
  const written = rendered.filter(({ file }) => file !== null)
  for (const { file } of written) await printLine(relative(process.cwd(), file ?? ''))
  const left = reasons(rendered.filter(({ file }) => file === null))
  const isStoreNamed = Object.keys(process.env).some((name) => name.startsWith('S3_'))
  const isWrong = isStoreNamed && !written.some(({ name }) => name.includes('.s3'))
  if (left.length === 0) return exitCodes.done
  return complain(left.join('\n'), isWrong ? exitCodes.usage : exitCodes.done)
})

await runCommand(program)

/** Combinations that are left out for the same reason, together. */
function reasons(left: readonly Rendered[]): string[] {
  const groups = Map.groupBy(left, ({ why }) => why.join('\n'))
  return [...groups].flatMap(([why, group]) => [
    `not written: ${group.map(({ name }) => name).join(', ')}`,
    ...why.split('\n').map((line) => `  ${line}`),
  ])
}
