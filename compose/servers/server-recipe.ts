import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Programs that are built here from their Go modules: one folder each, with a `go.mod` that pins it. */
export const builtServers = [
  'minio',
  'mc',
  'docker-compose',
  'loki',
  'tempo',
  'otel-collector',
  'toxiproxy',
  'versitygw',
] as const
export type BuiltServer = (typeof builtServers)[number]

export interface ServerRecipe {
  name: BuiltServer
  /** Absolute path of the module folder, where `go build` runs. */
  folder: string
  /**
   * Import path of the package from the `tool` line of `go.mod`: the main package, or the generator of one if
   * the folder has a `manifest.yaml`.
   */
  package: string
  /** Absolute path of the generator's configuration; `null` if the tool itself is built. */
  manifest: string | null
  /** Version of the module that has this package, from its `require` line. */
  version: string
  /** Changes with everything that determines the binary: 12 hexadecimal digits. */
  hash: string
}

/** Static, without paths of the build machine, without debug tables, which are half of the size. */
export const goBuildFlags = ['-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags=-s -w']

/**
 * Reads what to build for `name`.
 *
 * @throws {Error} if `go.mod` has no `tool` line or does not pin that tool's module.
 */
export async function readRecipe(name: BuiltServer): Promise<ServerRecipe> {
  const folder = join(import.meta.dir, name)
  const goMod = await Bun.file(join(folder, 'go.mod')).text()
  const goSum = await Bun.file(join(folder, 'go.sum')).text()
  const manifest = join(folder, 'manifest.yaml')
  const isGenerated = existsSync(manifest)
  const decides = [goMod, goSum, goBuildFlags.join(' '), process.platform, process.arch]
  if (isGenerated) decides.push(await Bun.file(manifest).text())
  const hash = createHash('sha256').update(decides.join('\0')).digest('hex').slice(0, 12)
  return { name, folder, manifest: isGenerated ? manifest : null, hash, ...pinnedTool(goMod) }
}

/**
 * Returns the tool that a `go.mod` names and its pinned version (Go Modules Reference, "go.mod files").
 *
 * @throws {Error} if there is no `tool` line, or no `require` line for its module.
 */
export function pinnedTool(goMod: string): { package: string; version: string } {
  const tool = /^tool (\S+)$/m.exec(goMod)?.[1]
  if (tool === undefined) throw new Error('go.mod has no tool line')
  for (let module = tool; module.includes('/'); module = module.slice(0, module.lastIndexOf('/'))) {
    const pin = new RegExp(`^(?:require )?\\s*${RegExp.escape(module)} (v\\S+)`, 'm').exec(goMod)
    if (pin?.[1] !== undefined) return { package: tool, version: pin[1] }
  }
  throw new Error(`go.mod names the tool ${tool} but pins no version of it`)
}

/** Returns a word that identifies what these programs are built from: it changes whenever one has to be rebuilt. */
export async function builtFrom(...names: BuiltServer[]): Promise<string> {
  const recipes = await Promise.all(names.map(readRecipe))
  return recipes.map(({ name, hash }) => `${name}-${hash}`).join('_')
}
