import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { bundleUi } from '../../ui/bundle.ts'

/**
 * The module that takes the place of `service/ui/bundle.ts` in the executable: it gives the same files without
 * building them, for neither their sources nor their packages are there.
 *
 * @param folder where the files are written, for the compiler to put them into the executable.
 * @returns its source text.
 */
export async function embeddedUiModule(folder: string): Promise<string> {
  const { index, assets } = await bundleUi()
  await mkdir(folder, { recursive: true })
  const files = assets.map(({ path, contentType, bytes }, at) => {
    const file = join(folder, basename(path))
    return { name: `file${at}`, file, path, contentType, bytes }
  })
  for (const { file, bytes } of files) await writeFile(file, bytes)
  const imports = files.map(({ name, file }) => `import ${name} from ${text(file)} with { type: 'file' }\n`)
  const entries = files.map(
    ({ name, path, contentType }) =>
      `{ path: ${text(path)}, contentType: ${text(contentType)}, bytes: await Bun.file(${name}).bytes() }`,
  )
  return `${imports.join('')}
export async function bundleUi() {
  return { index: ${text(index)}, assets: [${entries.join(', ')}] }
}
`
}

function text(value: string): string {
  return JSON.stringify(value)
}
