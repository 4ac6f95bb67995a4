/** `bun tests/tools/checks/docstrings.ts [path…]` lists exported functions of production code without a docstring. */
import { resolve } from 'node:path'
import type { SourceFile } from './source-imports.ts'
import { lineOf, listedFiles, sourcePieces } from './source-text.ts'

const exportedFunction =
  /^export (?:default )?(?:async )?function\*? ?(\w+)|^export const (\w+)(?:: [^=\n]+(?:=>[^=\n]+)?)? =\s+(?:async )?(?:(?:<[^>\n]*>)?\(|function\b|\w+ =>|(?:memo|forwardRef)[(<])/gm

/** Returns one line per exported function of the file without a docstring, as `path:line: name …`. */
export function missingDocstrings({ path, text }: SourceFile): string[] {
  const docstringEnds = sourcePieces(text)
    .filter(({ kind, start }) => kind === 'comment' && text.startsWith('/**', start))
    .map(({ end }) => end)
  const documented = new Set<string>()
  return [...text.matchAll(exportedFunction)].flatMap((match) => {
    const name = match[1] ?? match[2] ?? ''
    if (match[2] !== undefined && !isFunction(text, match.index)) return []
    const hasDocstring = docstringEnds.some(
      (end) => end <= match.index && text.slice(end, match.index).trim() === '',
    )
    // Of several signatures of one function, the first carries the docstring.
    if (hasDocstring) documented.add(name)
    return documented.has(name) ? [] : [`${path}:${lineOf(text, match.index)}: ${name} has no docstring`]
  })
}

/** Tells `export const f = (a) => …` from `export const x = (a + b) * c`. */
function isFunction(text: string, start: number): boolean {
  const end = text.indexOf('\nexport ', start + 1)
  const [declaration = ''] = text.slice(start, end === -1 ? undefined : end).split(/\n\n/)
  return /=>|\bfunction\b/.test(declaration)
}

/** Returns the TypeScript files of production code: `service`, `compose` and `observability`. */
export function isProductionSource(path: string): boolean {
  return /^(service|compose|observability)\/.*\.tsx?$/.test(path)
}

if (import.meta.main) {
  const root = resolve(import.meta.dir, '../../..')
  const paths = (await listedFiles(root, Bun.argv.slice(2))).filter(isProductionSource)
  const files = await Promise.all(
    paths.map(async (path) => ({ path, text: await Bun.file(`${root}/${path}`).text() })),
  )
  const missing = files.flatMap(missingDocstrings)
  for (const line of missing) console.log(line)
  console.log(`${missing.length} exported functions without a docstring in ${files.length} files`)
}
