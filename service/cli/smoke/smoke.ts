import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { createDocumentsClient } from '../../client/client.ts'
import { ArgumentError } from '../../client/errors.ts'
import { ConfigError, parseStoreConfig } from '../../config/config.ts'
import type { Environment } from '../../config/source.ts'
import { createS3ObjectStore } from '../../object-store/s3/s3-object-store.ts'
import { type CheckResult, exitCodeOf } from '../checks/check.ts'
import { resultLines, summaryLine } from '../checks/result-lines.ts'
import { planned, runChecks } from '../checks/run-checks.ts'
import {
  type Connection,
  type ConnectionFlags,
  connectionOf,
  withConnection,
} from '../documents/connection.ts'
import { UsageError } from '../failure.ts'
import { NoSuchStart, readLocalStarts } from '../local-issuer/local-state.ts'
import { printBytes, printJson, printLine } from '../output.ts'
import { objectChecks, removeMarker, type SmokeScene, smokeChecks } from './checks.ts'
import { newMarker } from './marker.ts'

const exitCodes = { usage: 2, missing: 3 } as const

interface Flags extends ConnectionFlags {
  tokenFile?: string
  objects?: true
  json?: true
}

const command = withConnection(
  new Command('bun run smoke').description(
    'Uploads, lists, downloads, tags and deletes a marker of its own through a running service.',
  ),
)
  .option('--token-file <file>', 'the token for --url (default: DOCUMENTS_TOKEN_FILE or DOCUMENTS_TOKEN)')
  .option('--objects', 'insist on looking for the objects in the store')
  .option('--json', 'one JSON object instead of lines')
  .exitOverride()
  .addHelpText(
    'after',
    `
The token needs documents:read, documents:write and documents:admin for the tenant. With the S3_* variables of the
service (or the store of the \`start\` that is asked), the objects are looked for under their prefix, too.
Exit codes: 0 everything that was asked holds, 1 something does not, 2 wrong usage, 3 something was missing.`,
  )

async function main(): Promise<number> {
  try {
    const flags = command.parse().opts<Flags>()
    const connection = await connectionOf(flags, tokenEnvironment(flags))
    return await smoke(connection, await bucketOf(connection, flags), flags)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
    if (error instanceof ConfigError) return complain(error.message, exitCodes.missing)
    const wrongUsage = [UsageError, ArgumentError, NoSuchStart].some((kind) => error instanceof kind)
    if (!wrongUsage) throw error
    return complain(`error: ${(error as Error).message}`, exitCodes.usage)
  }
}

type Bucket = NonNullable<SmokeScene['bucket']> & { close(): void }

async function smoke(connection: Connection, bucket: Bucket | null, flags: Flags): Promise<number> {
  const { url, tenant } = connection
  const marker = newMarker(tenant)
  const { signal } = interruption
  const scene: SmokeScene = { url, documents: createDocumentsClient(connection), marker, bucket, signal }
  const notAsked = bucket || flags.objects ? undefined : 'no S3_* variable is set, and --objects not given'
  const checks = smokeChecks.map((check) =>
    planned(check, scene, objectChecks.includes(check.id) ? notAsked : undefined),
  )
  const onEnd = (result: CheckResult) => {
    if (!flags.json) void printBytes(`${resultLines(result)}\n`)
  }
  const startedAt = new Date().toISOString()
  const results = await runChecks(checks, { onEnd }).finally(() => bucket?.close())
  const left = await cleanedUp(scene, results)
  const exitCode = exitCodeOf(results)
  const { type, name, digest } = marker
  if (flags.json) {
    await printJson({
      exitCode,
      startedAt,
      url,
      tenant,
      marker: { type, name, digest },
      left,
      checks: results,
    })
  } else {
    if (left) await printLine(`left: ${tenant} ${type}/${name} ${digest}: delete it by hand`)
    await printLine(summaryLine(results))
  }
  return exitCode
}

/** What a check that failed may have left; a run that was interrupted is given the time. @returns whether it stayed. */
async function cleanedUp(scene: SmokeScene, results: readonly CheckResult[]): Promise<boolean> {
  const verdictOf = (id: string) => results.find((result) => result.id === id)?.verdict
  if (verdictOf('smoke.delete') === 'proved') return false
  // Without an answer nobody knows whether the upload took place.
  if (verdictOf('smoke.upload') === 'not run') return false
  const { documents, marker } = scene
  return removeMarker({ documents, marker, signal: AbortSignal.timeout(10_000) }).then(
    () => false,
    (error: unknown) => (error as { status?: unknown }).status !== 404,
  )
}

/** The flag comes before what the environment says. */
function tokenEnvironment({ tokenFile }: Flags) {
  const { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE } = Bun.env
  return tokenFile === undefined
    ? { DOCUMENTS_TOKEN, DOCUMENTS_TOKEN_FILE }
    : { DOCUMENTS_TOKEN_FILE: tokenFile }
}

/** The bucket that the environment names, or that of the start that is asked; never that of another one. */
async function bucketOf({ url }: Connection, { local }: Flags): Promise<Bucket | null> {
  const environment = await storeEnvironment(url, local)
  if (environment === null) return null
  const { s3, docs } = await parseStoreConfig(environment, (path) => readFileSync(path, 'utf8'))
  const store = createS3ObjectStore({
    ...s3,
    bucket: docs.bucket,
    accessKeyId: s3.accessKeyId.reveal(),
    secretAccessKey: s3.secretAccessKey.reveal(),
  })
  return { store, prefix: docs.prefix, close: store.close }
}

async function storeEnvironment(url: string, local: string): Promise<Environment | null> {
  if (Object.keys(Bun.env).some((name) => name.startsWith('S3_'))) return Bun.env
  const starts = [...(await readLocalStarts(local)).values()]
  return starts.find((start) => URL.parse(start.url)?.origin === URL.parse(url)?.origin)?.store ?? null
}

function complain(message: string, exitCode: number): number {
  process.stderr.write(`${message}\n`)
  return exitCode
}

const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort())
process.once('SIGTERM', () => interruption.abort())
process.exitCode = await main()
