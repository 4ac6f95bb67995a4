import { posix } from 'node:path'

/** A TypeScript file: its path below the root with forward slashes, and its text. */
export interface SourceFile {
  path: string
  text: string
}

const importForms = [
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'/g,
  /(?:^|\n)\s*import\s*'([^']+)'/g,
  /\bimport\(\s*'([^']+)'/g,
  /\brequire\(\s*'([^']+)'/g,
]

/**
 * Returns what a file imports, types included: relative specifiers as paths below the root, packages and built-in
 * modules as they are written. In the order of the forms, without repeats.
 */
export function importsOf(file: SourceFile): string[] {
  const code = withoutComments(file.text)
  const specifiers = importForms.flatMap((form) =>
    Array.from(code.matchAll(form), ([, found]) => found ?? ''),
  )
  const resolved = specifiers.map((specifier) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : specifier,
  )
  return [...new Set(resolved)]
}

/** Returns the name of the package in a specifier (`@scope/name/part` → `@scope/name`), `null` for paths and built-ins. */
export function packageOf(specifier: string): string | null {
  if (/^(node:|bun:|bun$|service\/|compose\/|tests\/|observability\/|package\.json$|\.)/.test(specifier))
    return null
  const [first = '', second = ''] = specifier.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

/** Returns the text without comments; a `//` inside of a string, as in a URL, stays. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{}(),])\/\/[^\n]*/g, '$1')
}

/** Reads every TypeScript file of the given folders, ascending by path. */
export async function readSources(root: string, folders: string[]): Promise<SourceFile[]> {
  const glob = new Bun.Glob(`{${folders.join(',')}}/**/*.{ts,tsx}`)
  const paths = (await Array.fromAsync(glob.scan(root))).sort()
  return Promise.all(paths.map(async (path) => ({ path, text: await Bun.file(`${root}/${path}`).text() })))
}
