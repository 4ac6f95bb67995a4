import { existsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import { name, version } from '../../../package.json'
import { mustRun } from '../../run-command.ts'

const root = resolve(import.meta.dir, '../../..')

/**
 * Writes the parts of the image as a CycloneDX 1.6 document in JSON: the packages that are compiled in, Bun, and the
 * Debian packages of its libraries. The same parts give the same text.
 */
export function sbomText(npm: readonly NpmPackage[], debian: readonly DebianPackage[]): string {
  const bom = new Models.Bom({
    metadata: new Models.Metadata({
      component: new Models.Component(Enums.ComponentType.Container, name, { version, bomRef: name }),
    }),
  })
  for (const part of npm) bom.components.add(npmComponent(part))
  for (const part of debian) bom.components.add(debianComponent(part))
  bom.components.add(
    new Models.Component(Enums.ComponentType.Platform, 'bun', {
      version: Bun.version,
      ...identity(`pkg:npm/bun@${Bun.version}`),
    }),
  )
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`
}

function npmComponent({ name, version, license }: NpmPackage): Models.Component {
  // Package URL specification: the scope's @ is percent-encoded.
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const component = new Models.Component(Enums.ComponentType.Library, name, { version, ...identity(purl) })
  if (license !== undefined) component.licenses.add(new Models.LicenseExpression(license))
  return component
}

function debianComponent({ name, version }: DebianPackage): Models.Component {
  const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}`
  return new Models.Component(Enums.ComponentType.Library, name, { version, ...identity(purl) })
}

function identity(purl: string): { purl: string; bomRef: string } {
  return { purl, bomRef: purl }
}

/** One installed package, as in its own package.json. */
export interface NpmPackage {
  name: string
  version: string
  license: string | undefined
  dependencies: Record<string, string>
}

/**
 * Returns the packages that the service is built from: its `dependencies`, theirs, and so on, each version once. That
 * is more than the bundler keeps of them, never less.
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

/** Returns the folder in which Node finds a package from `folder` (nodejs.org, "Loading from node_modules folders"). */
function folderOf(name: string, folder: string): string {
  const candidate = join(folder, 'node_modules', name)
  if (existsSync(join(candidate, 'package.json'))) return candidate
  if (folder === root) throw new Error(`${name} is not installed: bun install`)
  return folderOf(name, dirname(folder))
}

interface DebianPackage {
  name: string
  version: string
}

/**
 * Returns the Debian packages that these files of this machine belong to, each once.
 *
 * @throws {CommandError} if a file belongs to none, or this is not Debian.
 */
export async function debianPackagesOf(files: readonly string[]): Promise<DebianPackage[]> {
  // dpkg knows files by the path in their package, which /lib as a link to /usr/lib hides.
  const places = await Promise.all(
    files.map(async (file) => (await realpath(file)).replace(/^\/usr\/lib/, '/lib')),
  )
  const owners = await mustRun(['dpkg-query', '--search', ...places])
  const names = new Set(owners.split('\n').flatMap((line) => /^([^:]+):/.exec(line)?.[1] ?? []))
  const lines = await mustRun(['dpkg-query', '--show', '--showformat', `$\{Package} $\{Version}\n`, ...names])
  return lines
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([name = '', version = '']) => ({ name, version }))
}
