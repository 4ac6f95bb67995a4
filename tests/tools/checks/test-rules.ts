import { dirname } from 'node:path'
import { promises } from '../../support/promises.ts'
import { importsOf, type SourceFile } from './source-imports.ts'

const filesPerFolderMax = 40

/** Folders below `tests/` that are no suites, and from which every suite may import. */
const sharedFolders = ['support', 'tools', 'bench']

/** Names by which `bun test` finds files with tests (Bun documentation, "Test discovery"). */
const testName = /[._](?:test|spec)\.[cm]?[jt]sx?$/

/**
 * Returns every import by which one suite uses another, or production code uses tests: what several suites need is in
 * `tests/support`.
 */
export function crossSuiteImports(files: SourceFile[]): string[] {
  return files.flatMap((file) => {
    const own = suiteOf(file.path)
    return importsOf(file)
      .filter((specifier) => suiteOf(specifier) !== null && suiteOf(specifier) !== own)
      .map((specifier) => `${file.path} imports ${specifier}: a suite imports no other suite`)
  })
}

/** Returns the suite that a path belongs to, `null` for what belongs to none. */
function suiteOf(path: string): string | null {
  const [top, folder = '', ...rest] = path.split('/')
  return top === 'tests' && rest.length > 0 && !sharedFolders.includes(folder) ? folder : null
}

/**
 * Returns the files that look like tests and that `bun run test` would not run.
 *
 * @param paths all files of the repository.
 * @param run those that the suites run.
 */
export function unrunTests(paths: readonly string[], run: readonly string[]): string[] {
  const known = new Set(run)
  return paths
    .filter((path) => testName.test(path) && !known.has(path))
    .map((path) => `${path}: no suite in tests/tools/suites.ts runs it`)
}

/** Returns whether a file imports `tests/support/sizes.ts`. */
export function takesSizes(file: SourceFile): boolean {
  return importsOf(file).includes('tests/support/sizes.ts')
}

/** Returns the files that take a size (`tests/support/sizes.ts`) and are no tests: `test:long` runs the tests that do. */
export function sizesOutsideTests(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => !testName.test(file.path) && takesSizes(file))
    .map(({ path }) => `${path}: takes a size, which only a test may do`)
}

/** Returns the promises (`tests/support/promises.ts`) whose test is not among those that the suites run. */
export function lostPromises(run: readonly string[]): string[] {
  return Object.entries(promises)
    .filter(([, { test }]) => !run.includes(test))
    .map(([name, { test }]) => `${name}: no suite runs ${test}`)
}

/** Returns the folders with more files than one takes in at a glance. */
export function crowdedFolders(paths: readonly string[]): string[] {
  return Object.entries(Object.groupBy(paths, (path) => dirname(path)))
    .filter(([, files = []]) => files.length > filesPerFolderMax)
    .map(([folder, files = []]) => `${folder}: ${files.length} files, more than ${filesPerFolderMax}`)
}
