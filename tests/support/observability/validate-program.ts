import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type CommandResult, runCommand } from '../../../compose/run-command.ts'
import type { StoreConnection } from '../../../compose/servers/running-store.ts'
import type { Report } from '../../../observability/proof/report.ts'
import { keepPrinted } from '../printed.ts'

const root = resolve(import.meta.dir, '../../..')
const keptLogs = join(root, 'tests/support/kept-logs.ts')
const program = join(root, 'observability/proof/validate.ts')

/** Longer means that it hangs. */
const secondsMax = 18 * 60

/** Runs `bun run validate …` with these variables and those that programs need, but none of the test store's. */
export async function validate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const result = await runCommand(commandLine(args), { cwd: root, env: surroundings(env), secondsMax })
  keepPrinted('validate', result.stdout + result.stderr)
  return result
}

/** Starts `bun run validate …`, for a test that interferes with it. */
export function startValidate(args: readonly string[], env: Readonly<Record<string, string>>) {
  const options = { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', timeout: secondsMax * 1000 } as const
  return Bun.spawn(commandLine(args), { cwd: root, env: surroundings(env), ...options })
}

function commandLine(args: readonly string[]): string[] {
  return [process.execPath, '--preload', keptLogs, program, ...args]
}

function surroundings(env: Readonly<Record<string, string>>) {
  const { PATH, HOME, XDG_CACHE_HOME, DOCKER_HOST, TEST_PRINTED_FOLDER } = process.env
  return { PATH, HOME, XDG_CACHE_HOME, DOCKER_HOST, TEST_PRINTED_FOLDER, ...env }
}

/** Returns what `--json` has printed. */
export function reportIn({ stdout, stderr }: CommandResult): Report {
  if (!stdout.startsWith('{')) throw new Error(`not a report: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Report
}

/** Returns the ids of a report's checks with one of these verdicts. */
export function idsWith({ checks }: Report, ...verdicts: Report['checks'][number]['verdict'][]): string[] {
  return checks.filter(({ verdict }) => verdicts.includes(verdict)).map(({ id }) => id)
}

/**
 * The variables of the configuration contract for a store, with its keys in files.
 *
 * @param folder absolute path, for the files.
 */
export async function storeVariables(
  { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle, ca }: Omit<StoreConnection, 'kind'>,
  buckets: { loki?: string; tempo?: string },
  folder: string,
): Promise<Record<string, string>> {
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), `${content}\n`, { mode: 0o600 })
    return join(folder, name)
  }
  return {
    S3_ENDPOINT: endpoint,
    S3_REGION: region,
    S3_FORCE_PATH_STYLE: String(forcePathStyle),
    S3_INSECURE: String(endpoint.startsWith('http:')),
    S3_ACCESS_KEY_ID_FILE: await file('key-id', accessKeyId),
    S3_SECRET_ACCESS_KEY_FILE: await file('key', secretAccessKey),
    ...(ca === undefined ? {} : { S3_CA_FILE: await file('ca.crt', ca) }),
    ...(buckets.loki === undefined ? {} : { S3_BUCKET_LOKI: buckets.loki }),
    ...(buckets.tempo === undefined ? {} : { S3_BUCKET_TEMPO: buckets.tempo }),
  }
}
