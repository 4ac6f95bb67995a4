import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalFailure } from '../../service/cli/command.ts'
import type { OnProgress } from '../../service/cli/progress.ts'
import { cached, isCached } from './cache.ts'
import { type BuiltServer, goBuildFlags, readRecipe, type ServerRecipe } from './server-recipe.ts'

/**
 * Returns the path of the program's static binary, which is built on the first call (minutes) and taken from the
 * cache afterwards. Processes that ask at the same time wait for one build.
 *
 * @throws {ServerBuildError} if there is no Go toolchain, or if the build fails; then with its last lines.
 */
export async function buildServer(
  name: BuiltServer,
  { onProgress = () => {} }: { onProgress?: OnProgress | undefined } = {},
): Promise<string> {
  const recipe = await readRecipe(name)
  const folder = await cached({
    key: cacheKey(recipe),
    onWait: () => onProgress('waiting for another process that builds it'),
    make: (folder) => build(recipe, folder, onProgress),
  })
  return join(folder, name)
}

/** True if {@link buildServer} has nothing to build. */
export async function isServerBuilt(name: BuiltServer): Promise<boolean> {
  return isCached(cacheKey(await readRecipe(name)))
}

/** Returns the path of the `go` command, or `null`. */
export function findGo(): string | null {
  return Bun.which('go')
}

/** A server cannot be built or installed; the message says what to do. */
export class ServerBuildError extends LocalFailure {
  override readonly name = 'ServerBuildError'
}

function cacheKey(recipe: ServerRecipe): string {
  return `${recipe.name}-${recipe.version}-${recipe.hash}`
}

async function build(recipe: ServerRecipe, folder: string, onProgress: OnProgress): Promise<void> {
  const out = join(folder, recipe.name)
  if (recipe.manifest === null) {
    await runGo(recipe, recipe.folder, buildArguments(out, recipe.package), onProgress)
    return
  }
  const source = join(folder, 'source')
  await generate(recipe, source, onProgress)
  await runGo(recipe, source, buildArguments(out, '.'), onProgress)
  await rm(source, { recursive: true })
}

function buildArguments(out: string, mainPackage: string): string[] {
  return ['build', '-v', ...goBuildFlags, '-o', out, mainPackage]
}

/**
 * Lets the OpenTelemetry Collector Builder write the main package. By itself it would also look up the modules'
 * versions again; `go.mod` and `go.sum` of the recipe are copied instead, so that everything stays pinned.
 */
async function generate(recipe: ServerRecipe, source: string, onProgress: OnProgress): Promise<void> {
  await mkdir(source)
  for (const file of ['go.mod', 'go.sum', 'manifest.yaml']) {
    await copyFile(join(recipe.folder, file), join(source, file))
  }
  const only = ['--skip-get-modules', '--skip-compilation']
  await runGo(recipe, source, ['tool', recipe.package, '--config', 'manifest.yaml', ...only], onProgress)
}

async function runGo(
  recipe: ServerRecipe,
  cwd: string,
  argv: string[],
  onProgress: OnProgress,
): Promise<void> {
  const go = findGo()
  if (go === null) {
    throw new ServerBuildError(
      `${recipe.name} has to be built and there is no Go toolchain: ` +
        'install Go 1.24 or newer (https://go.dev/dl/) so that `go version` works',
    )
  }
  const child = Bun.spawn([go, ...argv], {
    cwd,
    // A workspace or flags of the user would change what is built.
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const lastLines = await followBuild(child.stderr, onProgress)
  if ((await child.exited) !== 0) {
    throw new ServerBuildError(
      `building ${recipe.name} ${recipe.version} in ${recipe.folder} failed:\n${lastLines.join('\n')}`,
    )
  }
}

/** `go build -v` names each module it downloads and each package it compiles on standard error. */
async function followBuild(stderr: ReadableStream<Uint8Array>, onProgress: OnProgress): Promise<string[]> {
  const lastLines: string[] = []
  const decoder = new TextDecoder()
  let packages = 0
  let rest = ''
  for await (const bytes of stderr) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      lastLines.push(line)
      if (lastLines.length > 20) lastLines.shift()
      const downloading = /^go: downloading (\S+)/.exec(line)?.[1]
      if (downloading === undefined) packages++
      onProgress(downloading ? `downloading ${downloading}` : `${packages} packages compiled, ${line}`)
    }
  }
  return lastLines
}
