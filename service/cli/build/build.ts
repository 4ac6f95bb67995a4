/** `bun run build [--outfile <file>]`: the service with its UI as one executable; default: `dist/documents`. */
import { parseArgs } from 'node:util'
import { makeTempFolder, removeTempFolder } from '../temp-folder.ts'
import { embeddedUiModule } from './build-ui-module.ts'

const { outfile } = parseArgs({ options: { outfile: { type: 'string', default: 'dist/documents' } } }).values
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
          build.onLoad({ filter: /[/\\]service[/\\]ui[/\\]bundle\.ts$/ }, () => ({ contents, loader: 'js' }))
        },
      },
    ],
  })
  for (const message of result.logs) process.stderr.write(`${message}\n`)
  const mebibytes = (Bun.file(outfile).size / 1024 / 1024).toFixed(1)
  process.stdout.write(`built ${outfile} (${mebibytes} MiB)\n`)
} finally {
  await removeTempFolder(folder)
}
