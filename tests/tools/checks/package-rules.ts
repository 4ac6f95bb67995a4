import { importsOf, packageOf, type SourceFile } from './source-imports.ts'

export interface PackageFile {
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** Packages that no file imports, and what uses them. */
const usedOtherwise: Record<string, string> = {
  '@biomejs/biome': 'bun run check',
  typescript: 'bun run check',
  '@types/bun': 'tsconfig.json',
  'bun-types': 'tsconfig.json, through @types/bun',
  '@testing-library/dom': '@testing-library/react, whose peer it is',
}

/** Returns the versions that are not exact: a range may resolve to another version tomorrow. */
export function looseVersions(file: PackageFile): string[] {
  return Object.entries({ ...file.dependencies, ...file.devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `package.json: ${name} is pinned to ${version}, which is not one version`)
}

/** Returns the packages that nothing uses. Types of a package (`@types/x`) are used where `x` is. */
export function unusedPackages(file: PackageFile, sources: SourceFile[]): string[] {
  const imported = importedPackages(sources)
  return Object.keys({ ...file.dependencies, ...file.devDependencies })
    .filter((name) => !imported.has(name.replace(/^@types\//, '')) && !(name in usedOtherwise))
    .map((name) => `package.json: nothing uses ${name}`)
}

/** Returns the imported packages that package.json does not declare: they would be installed by luck. */
export function undeclaredPackages(file: PackageFile, sources: SourceFile[]): string[] {
  const declared = new Set(Object.keys({ ...file.dependencies, ...file.devDependencies }))
  return [...importedPackages(sources)]
    .filter((name) => !declared.has(name))
    .map((name) => `package.json: ${name} is imported and not declared`)
}

/** Returns the development dependencies that the service imports: they are not installed where it runs. */
export function servicePackagesInDev(file: PackageFile, sources: SourceFile[]): string[] {
  const service = sources.filter(({ path }) => /^service\/(?!cli\/)/.test(path))
  return [...importedPackages(service)]
    .filter((name) => name in (file.devDependencies ?? {}))
    .map((name) => `package.json: the service imports ${name}, a development dependency`)
}

function importedPackages(sources: SourceFile[]): Set<string> {
  const names = sources.flatMap((source) => importsOf(source).map(packageOf))
  return new Set(names.filter((name) => name !== null))
}
