/** `bun run check`: format, lint, types, and the rules about this repository. One line per check. */
import { join, resolve } from 'node:path'
import { mustRun, runCommand } from '../../compose/run-command.ts'
import { brokenCitations } from './checks/architecture-citations.ts'
import { composeProblems } from './checks/compose-rules.ts'
import { isProductionSource, missingDocstrings } from './checks/docstrings.ts'
import { brokenImports, importCircles, readersOfTheWorld } from './checks/import-rules.ts'
import { brokenPaths } from './checks/markdown-paths.ts'
import {
  looseVersions,
  type PackageFile,
  servicePackagesInDev,
  undeclaredPackages,
  unusedPackages,
} from './checks/package-rules.ts'
import { committedSecrets } from './checks/secret-search.ts'
import { readSources, type SourceFile } from './checks/source-imports.ts'
import {
  crossSuiteImports,
  crowdedFolders,
  lostPromises,
  sizesOutsideTests,
  unrunTests,
} from './checks/test-rules.ts'
import { avoidedWordsIn, fragmentTitles, isWritten } from './checks/wording.ts'
import { runsOf } from './runner/suite-runs.ts'
import { suites } from './suites.ts'

const root = resolve(import.meta.dir, '../..')
const sources = await readSources(root, ['service', 'compose', 'observability', 'tests'])
const packageFile: PackageFile = await Bun.file(join(root, 'package.json')).json()
const committed = await committedFiles()
const paths = committed.map(({ path }) => path)
const runs = (
  await Promise.all(suites.flatMap((suite) => [runsOf(suite), runsOf(suite, { long: true })]))
).flat()

/** What is checked, and how: the answer is the list of what is wrong. */
const checks: [sentence: string, check: () => string[] | Promise<string[]>][] = [
  ['format and lint', () => runTool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.'])],
  ['types', () => runTool('typescript/bin/tsc', ['--project', '.'])],
  ['imports point one way', () => brokenImports(sources)],
  ['no part imports another in a circle', () => importCircles(sources)],
  ['only main and commands read the environment', () => readersOfTheWorld(sources)],
  ['no suite imports another', () => crossSuiteImports(sources)],
  [
    'a suite runs every test',
    () =>
      unrunTests(
        paths,
        runs.flatMap(({ files }) => files),
      ),
  ],
  ['only tests take sizes, so that test:long finds them', () => sizesOutsideTests(sources)],
  ['every promise has its test', () => lostPromises(runs.flatMap(({ files }) => files))],
  ['no folder is crowded', () => crowdedFolders(paths)],
  ['versions are exact', () => looseVersions(packageFile)],
  ['every dependency is used', () => unusedPackages(packageFile, sources)],
  ['every import is declared', () => undeclaredPackages(packageFile, sources)],
  ['the service runs without development dependencies', () => servicePackagesInDev(packageFile, sources)],
  [
    'compose files pin images, stay on loopback and give no needless rights',
    () => composeFiles().flatMap(composeProblems),
  ],
  [
    'texts are in plain English',
    () => committed.filter(({ path }) => isWritten(path)).flatMap(avoidedWordsIn),
  ],
  [
    'titles of tests stand alone',
    () => sources.filter(({ path }) => /\.test\.tsx?$/.test(path)).flatMap(fragmentTitles),
  ],
  [
    'every exported function of production code has a docstring',
    () => sources.filter(({ path }) => isProductionSource(path)).flatMap(missingDocstrings),
  ],
  ['comments cite headings that the design page has', () => brokenCitations(committed, architecture())],
  ['links and paths in Markdown lead somewhere', () => brokenPaths(committed)],
  ['no secret is committed', () => committed.flatMap(committedSecrets)],
]

let broken = 0
for (const [sentence, check] of checks) {
  const problems = await check()
  console.log(`${problems.length === 0 ? '✓' : '✗'} ${sentence}`)
  for (const problem of problems) console.log(`  ${problem}`)
  if (problems.length > 0) broken++
}
console.log(broken === 0 ? 'all checks hold' : `${broken} of ${checks.length} checks do not hold`)
process.exitCode = broken === 0 ? 0 : 1

async function runTool(program: string, args: string[]): Promise<string[]> {
  const argv = [process.execPath, join(root, 'node_modules', program), ...args]
  const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: root })
  return exitCode === 0 ? [] : `${stdout}${stderr}`.trim().split('\n')
}

/** What is committed or about to be: everything that git does not ignore. */
async function committedFiles(): Promise<SourceFile[]> {
  const list = ['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z']
  const paths = (await mustRun(list, { cwd: root })).split('\0').filter((path) => path !== '')
  return Promise.all(paths.map(async (path) => ({ path, text: await textOf(join(root, path)) })))
}

/** Returns '' for what is no text, and for a file of git's list that was deleted in the work tree. */
async function textOf(path: string): Promise<string> {
  const file = Bun.file(path)
  const text = (await file.exists()) ? await file.text() : ''
  return text.includes('\0') ? '' : text
}

/** The design page, whose headings are cited. */
function architecture(): string {
  return committed.find(({ path }) => path === 'ARCHITECTURE.md')?.text ?? ''
}

function composeFiles(): SourceFile[] {
  return committed.filter(({ path }) => /^(compose\/stacks|overlays)\/[^/]+\.ya?ml$/.test(path))
}
