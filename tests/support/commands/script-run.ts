import { fileURLToPath } from 'node:url'
import { keepPrinted } from '../printed.ts'
import { asService, type StoreForTests } from '../stores/service-key.ts'

/** A bucket of a store, with documents below `docs/`. */
export type Bucket = StoreForTests & { bucket: string }

/**
 * Returns the variables that name a bucket to a command, as the first store or, with `TARGET_`, as the second one, with
 * the key of the service.
 */
export function variablesOf(bucket: Bucket, prefix: '' | 'TARGET_' = ''): Record<string, string> {
  const place = asService(bucket)
  const variables = {
    S3_ENDPOINT: place.endpoint,
    S3_REGION: place.region,
    S3_ACCESS_KEY_ID: place.accessKeyId,
    S3_SECRET_ACCESS_KEY: place.secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
    S3_INSECURE: 'true',
    S3_BUCKET_DOCS: place.bucket,
  }
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [prefix + name, value]))
}

/** Returns the variables of both stores. */
export function pairVariables(source: Bucket, target: Bucket): Record<string, string> {
  return { ...variablesOf(source), ...variablesOf(target, 'TARGET_') }
}

/** Starts `bun run <name> …` with this environment and no other. */
export function startScript(name: string, args: readonly string[], env: Record<string, string>) {
  const script = fileURLToPath(new URL(`../../../service/cli/${name}/${name}.ts`, import.meta.url))
  return Bun.spawn([process.execPath, script, ...args], { env, stdout: 'pipe', stderr: 'pipe' })
}

export type JsonLine = Readonly<Record<string, unknown>>

/** How a command ended, and what it printed. */
export interface ScriptRun {
  exitCode: number
  out: string
  err: string
}

/** A run whose output may be JSON lines. */
export interface JsonRun extends ScriptRun {
  /** What `--json` printed, parsed. */
  events(): JsonLine[]
}

/** Runs such a command to its end, and keeps what it prints for the search for secrets. */
export async function runScript(
  name: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<JsonRun> {
  const child = startScript(name, args, env)
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  keepPrinted(name, out + err)
  const events = () =>
    out
      .split('\n')
      .filter((line) => line !== '')
      .map((line): JsonLine => JSON.parse(line))
  return { exitCode: await child.exited, out, err, events }
}

/** Runs it with `--json`. @returns every line, and the last one */
export async function runScriptJson(name: string, args: readonly string[], env: Record<string, string>) {
  const run = await runScript(name, [...args, '--json'], env)
  const lines = run.events()
  return { ...run, lines, summary: lines.at(-1) ?? {} }
}

/** Returns the lines of one kind. */
export function linesOf(lines: readonly JsonLine[], event: string): JsonLine[] {
  return lines.filter((line) => line.event === event)
}
