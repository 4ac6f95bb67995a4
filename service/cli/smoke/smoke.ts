import { createDocumentsClient } from '../../client/client.ts'
import type { Environment } from '../../config/parse.ts'
import { type CheckResult, exitCodeOf } from '../checks/check.ts'
import { resultLines, summaryLine } from '../checks/result-lines.ts'
import { planned, runChecks } from '../checks/run-checks.ts'
import { createCommand, type ExitCode, exitCodes, runCommand } from '../command.ts'
import {
  type Connection,
  type ConnectionFlags,
  connectionOf,
  withConnection,
} from '../documents/connection.ts'
import { readLocalStarts } from '../local-issuer/starts.ts'
import { printBytes, printJson, printLine } from '../output.ts'
import { openBucket, readStoreConfig } from '../store.ts'
import { newMarker, objectChecks, removeMarker, type SmokeScene, smokeChecks } from './checks.ts'

interface Flags extends ConnectionFlags {
  tokenFile?: string
  objects?: true
  json?: true
}

const command = withConnection(
  createCommand(
    'bun run smoke',
    'Uploads, lists, downloads, tags and deletes a document of its own through a running service.',
  ),
)
  .option('--token-file <file>', 'the token for --url (default: DOCUMENTS_TOKEN_FILE or DOCUMENTS_TOKEN)')
  .option('--objects', 'fail unless the objects can be looked for in the store')
  .option('--json', 'one JSON object instead of lines')
  .addHelpText(
    'after',
    `
The token needs documents:read, documents:write and documents:admin for the tenant. With the S3_* variables of the
service (or with the store of the \`start\` that is asked), the objects are looked for under their prefix as well.`,
  )

await runCommand<Flags>(command, async (flags, { signal }) => {
  const connection = await connectionOf(flags, tokenEnvironment(flags))
  return smoke(connection, await bucketOf(connection, flags), flags, signal)
})

/** The whole bucket, without the prefix. */
type Bucket = NonNullable<SmokeScene['bucket']> & { close(): void }

async function smoke(
  connection: Connection,
  bucket: Bucket | null,
  flags: Flags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { url, tenant } = connection
  const marker = newMarker(tenant)
  const documents = createDocumentsClient(connection)
  const scene: SmokeScene = { url, documents, marker, signal, bucket }
  const notAsked = bucket || flags.objects ? undefined : 'no S3_* variable is set, and --objects not given'
  const checks = smokeChecks.map((check) =>
    planned(check, scene, objectChecks.includes(check.id) ? notAsked : undefined),
  )
  const onEnd = (result: CheckResult) => {
    if (!flags.json) void printBytes(`${resultLines(result)}\n`)
  }
  const startedAt = new Date().toISOString()
  const results = await runChecks(checks, { onEnd }).finally(() => bucket?.close())
  const left = await isLeft(scene, results)
  const exitCode = signal.aborted ? exitCodes.interrupted : exitCodeOf(results)
  const { type, name, digest } = marker
  if (flags.json) {
    const found = { left, checks: results }
    await printJson({ exitCode, startedAt, url, tenant, marker: { type, name, digest }, ...found })
  } else {
    if (left) await printLine(`left: ${tenant} ${type}/${name} ${digest}: delete it by hand`)
    await printLine(summaryLine(results))
  }
  return exitCode
}

/** Removes what a failed check may have left, also after an interruption. @returns whether something stayed */
async function isLeft(scene: SmokeScene, results: readonly CheckResult[]): Promise<boolean> {
  const verdictOf = (id: string) => results.find((result) => result.id === id)?.verdict
  if (verdictOf('smoke.delete') === 'proved') return false
  if (verdictOf('smoke.upload') === 'not run') return false
  const { documents, marker } = scene
  return removeMarker({ documents, marker, signal: AbortSignal.timeout(10_000) }).then(
    () => false,
    (error: unknown) => (error as { status?: unknown }).status !== 404,
  )
}

/** The flag takes precedence over the environment. */
function tokenEnvironment({ tokenFile }: Flags) {
  const { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE } = Bun.env
  return tokenFile === undefined
    ? { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE }
    : { DOCUMENTS_TOKEN_FILE: tokenFile }
}

/** Opens the store that the environment names, or that of the start that is asked; never that of another one. */
async function bucketOf({ url }: Connection, { local }: Flags): Promise<Bucket | null> {
  const environment = await storeEnvironment(url, local)
  if (environment === null) return null
  const config = await readStoreConfig(environment)
  const store = openBucket(config)
  return { store, prefix: config.docs.prefix, close: store.close }
}

async function storeEnvironment(url: string, local: string): Promise<Environment | null> {
  if (Object.keys(Bun.env).some((name) => name.startsWith('S3_'))) return Bun.env
  const starts = [...(await readLocalStarts(local)).values()]
  return starts.find((start) => URL.parse(start.url)?.origin === URL.parse(url)?.origin)?.store ?? null
}
