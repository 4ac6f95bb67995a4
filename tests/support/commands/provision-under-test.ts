import { fileURLToPath } from 'node:url'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import { keepPrinted } from '../printed.ts'

const script = fileURLToPath(new URL('../../../service/cli/provision/provision.ts', import.meta.url))

export interface Ran {
  exitCode: number
  out: string
  err: string
  /** What `--json` printed, parsed. */
  events(): Record<string, unknown>[]
}

/** The variables that say where the store is, without a key. */
export function placeOf(store: StoreConnection, bucket: string): Record<string, string> {
  return {
    S3_ENDPOINT: store.endpoint,
    S3_REGION: store.region,
    S3_FORCE_PATH_STYLE: 'true',
    S3_INSECURE: 'true',
    S3_BUCKET_DOCS: bucket,
  }
}

export function provision(args: string[], env: Record<string, string>): Promise<Ran> {
  return runScript(script, 'provision', args, env)
}

/** Runs one of our commands as a process of its own, with this environment and no other. */
export async function runScript(
  file: string,
  name: string,
  args: string[],
  env: Record<string, string>,
): Promise<Ran> {
  const child = Bun.spawn([process.execPath, file, ...args], { env, stdout: 'pipe', stderr: 'pipe' })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  keepPrinted(name, out + err)
  const events = () =>
    out
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  return { exitCode: await child.exited, out, err, events }
}
