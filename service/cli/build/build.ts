/** `bun run build [--outfile <file>]`: compiles the service with its UI into one executable. */
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { bundleUi } from '../../ui/bundle.ts'
import { createCommand, exitCodes, runCommand } from '../command.ts'
import { formatBytes, printLine } from '../output.ts'
import { makeTempFolder, removeTempFolder } from '../temp-folder.ts'

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

/**
 * Returns the module that replaces `service/ui/bundle.ts` in the executable: it has the same files without building
 * them, since neither their sources nor their packages are there.
 *
 * @param folder where the files are written, for the compiler to put them into the executable.
 */
async function embeddedUiModule(folder: string): Promise<string> {
  const { index, assets } = await bundleUi()
  await mkdir(folder, { recursive: true })
  const files = assets.map(({ path, contentType, bytes }, at) => {
    const file = join(folder, basename(path))
    return { name: `file${at}`, file, path, contentType, bytes }
  })
  for (const { file, bytes } of files) await writeFile(file, bytes)
  const imports = files.map(
    ({ name, file }) => `import ${name} from ${JSON.stringify(file)} with { type: 'file' }\n`,
  )
  const entries = files.map(
    ({ name, path, contentType }) =>
      `{ path: ${JSON.stringify(path)}, contentType: ${JSON.stringify(contentType)}, bytes: await Bun.file(${name}).bytes() }`,
  )
  return `${imports.join('')}
async function bundleUi() {
  return { index: ${JSON.stringify(index)}, assets: [${entries.join(', ')}] }
}
export { bundleUi }
`
}
