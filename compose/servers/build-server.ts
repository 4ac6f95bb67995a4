import { existsSync } from 'node:fs'
import { chmod, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withLock } from './build-lock.ts'
import type { OnProgress } from './progress.ts'
import { type BuiltServer, goBuildFlags, readRecipe, type ServerRecipe } from './server-recipe.ts'

export interface BuildOptions {
  onProgress?: OnProgress
  /** Absolute path; default {@link cacheFolder}. */
  cache?: string
}

/** Where built servers are kept: `${XDG_CACHE_HOME:-~/.cache}/cloudlysis` (XDG Base Directory, section 3). */
export function cacheFolder(): string {
  const base = Bun.env.XDG_CACHE_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.cache'), 'cloudlysis')
}

/**
 * Path of the program's static binary, which is built on the first call (minutes) and taken from the cache
 * afterwards. Processes that ask at the same time wait for one build.
 *
 * @throws {ServerBuildError} if there is no Go toolchain, or if the build fails; then with its last lines.
 */
export async function buildServer(name: BuiltServer, options: BuildOptions = {}): Promise<string> {
  const recipe = await readRecipe(name)
  const cache = options.cache ?? cacheFolder()
  const binary = binaryPath(cache, recipe)
  if (existsSync(binary)) return binary
  await mkdir(cache, { recursive: true })
  const lock = join(cache, `${recipe.name}-${recipe.hash}.lock`)
  const waiting = () => options.onProgress?.('waiting for another process that builds it')
  return withLock(lock, waiting, async () => {
    if (!existsSync(binary)) await build(recipe, cache, options.onProgress ?? (() => {}))
    return binary
  })
}

/** True if {@link buildServer} would answer at once. */
export async function isServerBuilt(name: BuiltServer, cache: string = cacheFolder()): Promise<boolean> {
  return existsSync(binaryPath(cache, await readRecipe(name)))
}

/** Path of the `go` command, or `null`. */
export function findGo(): string | null {
  return Bun.which('go') ?? (existsSync('/usr/local/go/bin/go') ? '/usr/local/go/bin/go' : null)
}

export class ServerBuildError extends Error {
  override readonly name = 'ServerBuildError'
}

function binaryPath(cache: string, recipe: ServerRecipe): string {
  return join(cache, `${recipe.name}-${recipe.version}-${recipe.hash}`, recipe.name)
}

/** Builds beside the final folder and renames it into place, so that a half-built one is never found. */
async function build(recipe: ServerRecipe, cache: string, onProgress: OnProgress): Promise<void> {
  const go = findGo()
  if (go === null) {
    throw new ServerBuildError(
      `${recipe.name} has to be built and there is no Go toolchain: install Go 1.24 or newer (https://go.dev/dl/) so that \`go version\` works`,
    )
  }
  const unfinished = join(cache, `.${recipe.name}-${recipe.hash}-${process.pid}`)
  const built = join(unfinished, recipe.name)
  try {
    await runGoBuild(go, recipe, built, onProgress)
    await chmod(built, 0o755)
    await rename(unfinished, join(cache, `${recipe.name}-${recipe.version}-${recipe.hash}`))
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

async function runGoBuild(go: string, recipe: ServerRecipe, out: string, onProgress: OnProgress) {
  const build = Bun.spawn([go, 'build', '-v', ...goBuildFlags, '-o', out, recipe.package], {
    cwd: recipe.folder,
    // A workspace or flags of the user's own would change what is built.
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
  const lastLines = await followBuild(build.stderr, onProgress)
  if ((await build.exited) !== 0) {
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
