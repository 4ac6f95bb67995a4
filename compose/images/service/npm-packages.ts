import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dir, '../../..')

/** One installed package, as its own package.json says. */
export interface NpmPackage {
  name: string
  version: string
  license: string | undefined
  dependencies: Record<string, string>
}

/**
 * The packages that the service is built from: its `dependencies`, theirs, and so on, each version once. More than
 * what the bundler keeps of them, never less.
 *
 * @throws {Error} if one is not installed.
 */
export async function npmPackages(): Promise<NpmPackage[]> {
  const found = new Map<string, NpmPackage>()
  const seen = new Set<string>()
  const visit = async (folder: string): Promise<void> => {
    if (seen.has(folder)) return
    seen.add(folder)
    const { name, version, license, dependencies = {} } = await Bun.file(join(folder, 'package.json')).json()
    if (folder !== root) found.set(`${name}@${version}`, { name, version, license, dependencies })
    for (const dependency of Object.keys(dependencies)) await visit(folderOf(dependency, folder))
  }
  await visit(root)
  return [...found.values()].sort((one, other) => one.name.localeCompare(other.name))
}

/** Where Node finds a package from `folder` (nodejs.org, "Loading from node_modules folders"). */
function folderOf(name: string, folder: string): string {
  const candidate = join(folder, 'node_modules', name)
  if (existsSync(join(candidate, 'package.json'))) return candidate
  if (folder === root) throw new Error(`${name} is not installed: bun install`)
  return folderOf(name, dirname(folder))
}
