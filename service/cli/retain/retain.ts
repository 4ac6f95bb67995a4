import { randomBytes } from 'node:crypto'
import { InvalidArgumentError, Option } from 'commander'
import type { DocumentError, DocumentErrorCode } from '../../documents/document-error.ts'
import { isFailureOf } from '../../documents/maintenance/failure.ts'
import {
  createRetention,
  type Expired,
  type Retention,
  type RetentionRule,
} from '../../documents/maintenance/retention.ts'
import { isTransient, ObjectStoreError } from '../../object-store/object-store.ts'
import { createLogger, type Logger } from '../../telemetry/logger.ts'
import { registerSecret } from '../../telemetry/redaction.ts'
import { typePattern } from '../../wire/names.ts'
import {
  createCommand,
  type ExitCode,
  exitCodes,
  IncompleteError,
  runCommand,
  UsageError,
} from '../command.ts'
import { createReport } from '../output.ts'
import { type OpenedStore, openStore, readStoreConfig } from '../store.ts'
import { addTenant, integerIn } from '../values.ts'
import { type Outcome, type Retained, type RetainTotals, reportRetained, reportTotals } from './report.ts'
import { readRules } from './rules.ts'

interface Flags {
  type?: string
  keepDays?: number
  keepNewest: number
  policy?: string
  tenant?: string[]
  allTenants?: true
  apply?: true
  json?: true
}

/** Named in audit lines and in moves of tags. */
const subject = 'retain'

const command = createCommand(
  'bun run retain',
  'Removes versions that are older than they have to be kept. Without --apply it only lists them.',
)
  .option('--type <type>', 'the type of document', parseType)
  .option(
    '--keep-days <days>',
    'keep every version for this long after it was stored',
    integerIn(0, 99_999, 'a number of days'),
  )
  .option(
    '--keep-newest <count>',
    'keep this many of the newest versions of each document, however old',
    integerIn(1, 99_999),
    1,
  )
  .addOption(
    new Option('--policy <file>', 'rules for several types, as JSON').conflicts([
      'type',
      'keepDays',
      'keepNewest',
    ]),
  )
  .option('--tenant <tenant>', 'tenant to work on; can be repeated', addTenant)
  .addOption(new Option('--all-tenants', 'work on every tenant').conflicts('tenant'))
  .option('--apply', 'remove the versions, and write an audit line for each')
  .option('--json', 'one JSON object per line')
  .addHelpText(
    'after',
    `
Never removes a version that a tag ("latest" too) points to, one of the newest, or one that the store has locked; nor
any version of a document whose record is missing or damaged.
A policy is {"retention": [{"type": "audit-exports", "keepDays": 365, "keepNewest": 3}]}.
Reads the same S3_* variables as the service, and needs no more rights than the service's key has.`,
  )

function rulesOf({ policy, type, keepDays, keepNewest }: Flags): RetentionRule[] {
  if (policy !== undefined) return readRules(policy)
  if (type === undefined || keepDays === undefined)
    throw new UsageError('give --type and --keep-days, or --policy')
  return [{ type, keepDays, keepNewest }]
}

async function retainAll(
  { store }: OpenedStore,
  rules: RetentionRule[],
  flags: Flags,
  signal: AbortSignal,
): Promise<ExitCode> {
  const retention = createRetention(store)
  const report = createReport(flags.json)
  const totals = newTotals(flags.apply === true)
  const tenants = flags.allTenants ? null : [...new Set(flags.tenant)]
  try {
    for (const rule of rules) {
      const retain = flags.apply ? remover(retention, rule) : wouldRemove
      for await (const expired of retention.expired(rule, tenants, signal)) {
        const retained = await retain(expired)
        totals.versions[retained.fate] += 1
        const counts = retained.fate === 'removed' || retained.fate === 'would-remove'
        if (counts) totals.bytes += retained.version.size
        await reportRetained(report, retained)
      }
    }
  } finally {
    // Also for a run that was stopped: what it removed is gone.
    await reportTotals(report, totals)
  }
  return totals.versions.failed === 0 ? exitCodes.done : exitCodes.failed
}

async function wouldRemove(expired: Expired): Promise<Retained> {
  return blocker(expired) ?? { version: expired.version, fate: 'would-remove' }
}

/** Returns what is known to keep a version before anything is tried; `null` for nothing. */
function blocker({ version, locked, record }: Expired): Retained | null {
  if (locked) return { version, fate: 'locked' }
  if (record === 'sound') return null
  const why = `the record of its document is ${record}, so a tag may point to it: see "convert" and "scrub --repair"`
  return { version, fate: 'failed', why }
}

/** The problems of the API that leave a version where it is; each is reported and none ends the run. */
const outcomes: [DocumentErrorCode, Outcome][] = [
  ['version_locked', 'locked'],
  ['version_tagged', 'tagged'],
  ['document_not_found', 'gone'],
  ['store_refused', 'failed'],
  ['busy', 'failed'],
]

function remover(retention: Retention, rule: RetentionRule): (expired: Expired) => Promise<Retained> {
  const logger = createLogger({ level: 'info', service: 'cloudlysis-documents' })
  const correlationId = crypto.randomUUID()
  const name = `retention:${rule.type}:${rule.keepDays}d:newest-${rule.keepNewest}`
  return async (expired) => {
    const blocked = blocker(expired)
    if (blocked) return blocked
    const { version } = expired
    // Before it is done: what cannot be recorded must not happen.
    audit(logger, version, name, correlationId)
    try {
      await retention.remove(version, { by: subject, keepLatest: true })
      return { version, fate: 'removed' }
    } catch (error) {
      const known = outcomes.find(([code]) => isFailureOf(error, code))
      if (known) return { version, fate: known[1], why: (error as DocumentError).message }
      if (error instanceof ObjectStoreError && !isTransient(error)) {
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

function parseType(text: string): string {
  if (new RegExp(typePattern).test(text)) return text
  throw new InvalidArgumentError(`It has to match ${typePattern}.`)
}

await runCommand<Flags>(command, async (flags, { signal }) => {
  const rules = rulesOf(flags)
  if (!flags.tenant && !flags.allTenants) throw new UsageError('give --tenant or --all-tenants')
  const config = await readStoreConfig()
  registerSecret(config.s3.secretAccessKey)
  const store = openStore(config)
  try {
    return await retainAll(store, rules, flags, signal)
  } catch (error) {
    throw signal.aborted ? new IncompleteError('interrupted. Run it again.') : error
  } finally {
    store.close()
  }
})
