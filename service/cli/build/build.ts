/** `bun run build [--outfile <file>]`: compiles the service with its UI into one executable. */
import { createCommand, exitCodes, runCommand } from '../command.ts'
import { formatBytes, printLine } from '../output.ts'
import { makeTempFolder, removeTempFolder } from '../temp-folder.ts'
import { embeddedUiModule } from './build-ui-module.ts'

const command = createCommand(
  'bun run build',
  'Compiles the service with its UI into one executable.',
).option('--outfile <file>', 'the executable', 'dist/documents')

await runCommand<{ outfile: string }>(command, async ({ outfile }) => {
  const folder = await makeTempFolder('build')
  try {
    const contents = await embeddedUiModule(folder)
    const result = await Bun.build({
      entrypoints: ['service/main.ts'],
      compile: { outfile },
      minify: true,
      // Stack traces in the log should name our files.
      sourcemap: 'inline',
      target: 'bun',
      plugins: [
        {
          name: 'embedded-ui',
          setup(build) {
            build.onLoad({ filter: /[/\\]service[/\\]ui[/\\]bundle\.ts$/ }, () => ({
              contents,
              loader: 'js',
            }))
          },
        },
      ],
    })
    for (const message of result.logs) process.stderr.write(`${message}\n`)
    await printLine(`built ${outfile} (${formatBytes(Bun.file(outfile).size)})`)
    return exitCodes.done
  } finally {
    await removeTempFolder(folder)
  }
})
