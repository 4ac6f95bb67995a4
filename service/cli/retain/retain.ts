import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { ConfigError, parseStoreConfig, type StoreConfig } from '../../config/config.ts'
import { DocumentError } from '../../documents/document-error.ts'
import { createRetention, type Retention } from '../../documents/maintenance/create-retention.ts'
import type { Expired, RetentionRule } from '../../documents/maintenance/retention.ts'
import { ObjectStoreError } from '../../object-store/object-store.ts'
import { prefixed } from '../../object-store/prefixed-object-store.ts'
import { createS3ObjectStore } from '../../object-store/s3/s3-object-store.ts'
import { createLogger, type Logger } from '../../telemetry/logger.ts'
import { registerSecret } from '../../telemetry/redaction.ts'
import { tenantPattern, typePattern } from '../../wire/names.ts'
import { UsageError } from '../failure.ts'
import { createRetainReport, type Fate, type Retained, type RetainTotals } from './report.ts'
import { readRules } from './rules.ts'

const exitCodes = { done: 0, failed: 1, usage: 2, missing: 3 } as const
type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

interface Flags {
  type?: string
  keepDays?: number
  keepNewest: number
  policy?: string
  tenant: string[]
  allTenants?: true
  apply?: true
  json?: true
}

/** Named in audit lines and in moves of tags. */
const subject = 'retain'

const command = new Command('bun run retain')
  .description(
    'Removes versions that are older than they need to be kept. Without --apply it only says which.',
  )
  .option('--type <type>', 'the type of document', inForm(typePattern))
  .option('--keep-days <days>', 'keep every version for this long after it was stored', parseDays)
  .option('--keep-newest <count>', 'keep so many of the newest of each document, however old', parseCount, 1)
  .addOption(
    new Option('--policy <file>', 'rules for several types, as JSON').conflicts([
      'type',
      'keepDays',
      'keepNewest',
    ]),
  )
  .option('--tenant <tenant>', 'of this tenant; can be repeated', collectTenant, [])
  .addOption(new Option('--all-tenants', 'of every tenant').conflicts('tenant'))
  .option('--apply', 'remove them, with an audit line each')
  .option('--json', 'one JSON object per line')
  .exitOverride()
  .addHelpText(
    'after',
    `
Never removed is what a tag points to ("latest" too) or a damaged one may, one of the newest, or what the store has
locked.
A policy is {"retention": [{"type": "audit-exports", "keepDays": 365, "keepNewest": 3}]}.
Reads the same S3_* variables as the service, and needs no more rights than its key has.
Exit codes: 0 done, 1 something could not be removed, 2 wrong usage, 3 the configuration is wrong or the store is
out of reach.`,
  )

async function main(): Promise<ExitCode> {
  try {
    const flags = command.parse().opts<Flags>()
    const rules = rulesOf(flags)
    if (flags.tenant.length === 0 && !flags.allTenants) throw new UsageError('give --tenant or --all-tenants')
    const config = await parseStoreConfig(Bun.env, (path) => readFileSync(path, 'utf8'))
    return await retainAll(config, rules, flags)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    if (error instanceof UsageError) return complain(`error: ${error.message}`, exitCodes.usage)
    if (error instanceof ConfigError) return complain(error.message, exitCodes.missing)
    if (interruption.signal.aborted) return complain('error: interrupted. Run it again.', exitCodes.missing)
    if (error instanceof ObjectStoreError) return complain(`error: ${error.message}`, exitCodes.missing)
    throw error
  }
}

function rulesOf({ policy, type, keepDays, keepNewest }: Flags): RetentionRule[] {
  if (policy !== undefined) return readRules(policy)
  if (type === undefined || keepDays === undefined)
    throw new UsageError('give --type and --keep-days, or --policy')
  return [{ type, keepDays, keepNewest }]
}

async function retainAll({ s3, docs }: StoreConfig, rules: RetentionRule[], flags: Flags): Promise<ExitCode> {
  registerSecret(s3.secretAccessKey)
  const bucket = createS3ObjectStore({
    ...{ ...s3, bucket: docs.bucket },
    accessKeyId: s3.accessKeyId.reveal(),
    secretAccessKey: s3.secretAccessKey.reveal(),
  })
  const retention = createRetention(prefixed(bucket, docs.prefix))
  const report = createRetainReport(flags.json === true)
  const totals = newTotals(flags.apply === true)
  const tenants = flags.allTenants ? null : [...new Set(flags.tenant)]
  try {
    for (const rule of rules) {
      const keep = flags.apply ? remover(retention, rule) : wouldRemove
      for await (const expired of retention.expired(rule, tenants, interruption.signal)) {
        const retained = await keep(expired)
        totals.versions[retained.fate] += 1
        const counts = retained.fate === 'removed' || retained.fate === 'would-remove'
        if (counts) totals.bytes += retained.version.size
        await report.version(retained)
      }
    }
  } finally {
    bucket.close()
    // Also of a run that was stopped: what it removed is gone.
    await report.summary(totals)
  }
  return totals.versions.failed === 0 ? exitCodes.done : exitCodes.failed
}

async function wouldRemove(expired: Expired): Promise<Retained> {
  return hindrance(expired) ?? { version: expired.version, fate: 'would-remove' }
}

/** What is known to keep a version before anything is tried; `null` for nothing. */
function hindrance({ version, locked, damagedTags }: Expired): Retained | null {
  if (locked) return { version, fate: 'locked' }
  if (damagedTags.length === 0) return null
  const names = damagedTags.map((tag) => `"${tag}"`).join(', ')
  return { version, fate: 'failed', why: `damaged tags may point to it: move or remove ${names}` }
}

/** The answers of the API that leave a version where it is; each is told and none ends the run. */
const fates: Partial<Record<string, Fate>> = {
  version_locked: 'locked',
  version_tagged: 'tagged',
  document_not_found: 'gone',
  conflict: 'failed',
}

function remover(retention: Retention, rule: RetentionRule): (expired: Expired) => Promise<Retained> {
  const logger = createLogger({ level: 'info', service: 'cloudlysis-documents' })
  const correlationId = crypto.randomUUID()
  const name = `retention:${rule.type}:${rule.keepDays}d:newest-${rule.keepNewest}`
  return async (expired) => {
    const hindered = hindrance(expired)
    if (hindered) return hindered
    const { version } = expired
    // Before it is done: what cannot be recorded does not happen.
    audit(logger, version, name, correlationId)
    try {
      await retention.remove(version, { by: subject, keepLatest: true })
      return { version, fate: 'removed' }
    } catch (error) {
      const fate = error instanceof DocumentError ? fates[error.code] : undefined
      if (fate !== undefined) return { version, fate, why: (error as DocumentError).message }
      if (error instanceof ObjectStoreError && error.code !== 'unavailable') {
        return { version, fate: 'failed', why: error.message }
      }
      throw error
    }
  }
}

function audit(
  logger: Logger,
  { tenant, type, name, digest }: Expired['version'],
  rule: string,
  correlationId: string,
): void {
  const traceId = randomBytes(16).toString('hex')
  const decision = { decision: 'allowed', rule, action: 'version.delete', subject } as const
  logger.audit({ ...decision, tenant, type, name, digest, correlationId, traceId })
}

function newTotals(applied: boolean): RetainTotals {
  const versions = { 'would-remove': 0, removed: 0, locked: 0, tagged: 0, gone: 0, failed: 0 }
  return { applied, versions, bytes: 0 }
}

function complain(message: string, exitCode: ExitCode): ExitCode {
  process.stderr.write(`${message}\n`)
  return exitCode
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number from 1 on.')
}

/** None: then only the newest are kept. */
function parseDays(text: string): number {
  if (/^(0|[1-9]\d{0,4})$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number of days.')
}

function collectTenant(text: string, before: string[]): string[] {
  return [...before, inForm(tenantPattern)(text)]
}

function inForm(pattern: string): (text: string) => string {
  return (text) => {
    if (new RegExp(pattern).test(text)) return text
    throw new InvalidArgumentError(`It has to match ${pattern}.`)
  }
}

const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort())
process.once('SIGTERM', () => interruption.abort())
process.exitCode = await main()
