import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { OnProgress } from '../../service/cli/progress.ts'
import { CommandError, type CommandResult, mustRun, runCommand } from '../run-command.ts'
import { composeCommand, type DockerEnvironment } from '../servers/docker-engine.ts'

const root = resolve(import.meta.dir, '../..')

/** Where the settings and secrets of local stacks are kept by default. */
export const defaultStackFolder = join(root, '.local/compose')

/** Values of the variables in the compose files, by name. */
export type ComposeSettings = Record<string, string>

/** A Compose project, whether it runs or not. */
export interface ComposeProject {
  /** Absolute path; its settings are in `.env` there, for operators who run Compose by hand. */
  folder: string
  /** Its compose files, relative to the root of the repository. */
  files: readonly string[]
  settings: Readonly<ComposeSettings>
  /** Runs one Compose command on the project; `files` are added to its own. */
  compose(args: string[], extra?: ComposeExtra): Promise<CommandResult>
  /**
   * Runs one Compose command that has to succeed.
   *
   * @throws {CommandError} with the last lines of the containers' logs.
   */
  must(args: string[], extra?: ComposeExtra): Promise<void>
  /** Returns what Docker reports about the project's containers, as JSON text. */
  inspect(): Promise<string>
  /** Stops the containers; data stay. */
  stop(): Promise<void>
  /** Removes containers, networks and volumes: data are gone. */
  remove(): Promise<void>
}

export interface ComposeExtra {
  files?: string[]
  env?: DockerEnvironment
}

/**
 * Returns the project that the settings in `folder` describe (see {@link writeSettings}); starts nothing.
 *
 * @param files paths of the compose files, relative to the root of the repository. Default: those in its settings,
 * as `COMPOSE_FILE`, otherwise only the object store's.
 * @throws {Error} if nothing was described there.
 */
export async function openComposeProject(
  folder: string,
  files: string[] | null,
  env: DockerEnvironment,
  onProgress?: OnProgress,
): Promise<ComposeProject> {
  const settings = await readSettings(folder)
  const own = files ?? settings.COMPOSE_FILE?.split(':') ?? ['compose/stacks/object-store.yaml']
  const command = await composeCommand(env, onProgress)
  const base = ['--progress', 'quiet', '--project-directory', '.', '--env-file', join(folder, '.env')]
  const compose: ComposeProject['compose'] = (args, extra = {}) => {
    const named = [...own, ...(extra.files ?? [])].flatMap((file) => ['--file', file])
    const environment = { ...env, ...settings, ...extra.env }
    return runCommand([...command, ...base, ...named, ...args], { cwd: root, env: environment })
  }
  const must: ComposeProject['must'] = async (args, extra) => {
    const result = await compose(args, extra)
    if (result.exitCode === 0) return
    const logs = await compose(['logs', '--tail', '20'], extra)
    throw new CommandError(['compose', ...args], { ...result, stderr: `${result.stderr}\n${logs.stdout}` })
  }
  return {
    folder,
    files: own,
    settings,
    compose,
    must,
    inspect: async () => {
      const { stdout } = await compose(['ps', '--all', '--quiet'])
      return mustRun(['docker', 'inspect', ...stdout.trim().split('\n')], { env })
    },
    stop: () => must(['stop']),
    remove: () => must(['down', '--volumes', '--remove-orphans', '--timeout', '5']),
  }
}

/** Describes a project in `folder`. Settings of another stack of the same project stay, unless they are replaced. */
export async function writeSettings(folder: string, settings: ComposeSettings): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const all = { ...(await readSettings(folder).catch(() => ({}))), ...settings }
  const lines = Object.entries(all).map(([name, value]) => `${name}=${quoted(value)}\n`)
  await writeFile(join(folder, '.env'), lines.join(''), { mode: 0o600 })
}

/** Reads what {@link writeSettings} has written. @throws {Error} if nothing was */
export async function readSettings(folder: string): Promise<ComposeSettings> {
  const lines = (await readFile(join(folder, '.env'), 'utf8')).split('\n')
  const pairs = lines.map((line) => /^([A-Z0-9_]+)=(.*)$/.exec(line)).filter((match) => match !== null)
  return Object.fromEntries(pairs.map(([, name, value = '']) => [name, unquoted(value)]))
}

/**
 * Quotes a value for Compose (https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/,
 * ".env file syntax"): in double quotes it knows the escapes of JSON, and `$` begins a variable.
 */
function quoted(value: string): string {
  return JSON.stringify(value).replaceAll('$', '\\$')
}

/** Also reads the single quotes of earlier versions. */
function unquoted(text: string): string {
  return text.startsWith("'") ? text.slice(1, -1) : JSON.parse(text.replaceAll('\\$', '$'))
}
