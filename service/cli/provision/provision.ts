import { readFileSync } from 'node:fs'
import { Argument, Command, CommanderError } from 'commander'
import { ConfigError, parseStoreConfig } from '../../config/config.ts'
import { ObjectStoreError } from '../../object-store/object-store.ts'
import { type BucketSettingsClient, createBucketSettings } from '../../object-store/s3/bucket-settings.ts'
import { applyBucket } from '../../provisioning/apply.ts'
import { userPolicy } from '../../provisioning/bucket-policy.ts'
import { conditionalWritesHold, noCompareAndSet } from '../../provisioning/conditional-writes.ts'
import { planBucket, remarksOn } from '../../provisioning/plan.ts'
import { type ProvisionConfig, parseProvisionConfig, revealed } from '../../provisioning/provision-config.ts'
import { serviceRights } from '../../provisioning/service-rights.ts'
import { verifyRights } from '../../provisioning/verify.ts'
import { printJson } from '../output.ts'
import { createProvisionReport, type ProvisionReport } from './report.ts'

const exitCodes = { done: 0, failed: 1, usage: 2, missing: 3 } as const
type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

interface Flags {
  verify?: true
  json?: true
}

const steps = ['plan', 'apply', 'verify', 'user-policy'] as const
type Step = (typeof steps)[number]

const command = new Command('bun run provision')
  .description('Makes the buckets what the service, Loki and Tempo need. Can be repeated.')
  .addArgument(new Argument('[step]', 'what to do; see below').choices(steps))
  .option('--verify', 'the same as the step verify')
  .option('--json', 'one JSON object per line')
  .exitOverride()
  .addHelpText(
    'after',
    `
  plan         shows what is different from what should be, and changes nothing
  apply        does it, and says what the store could not do
  verify       tries with the service's key what it needs and what it must not have
  user-policy  prints the rights of the service as a policy for stores that know users, such as MinIO

plan and apply read S3_* but for the service's key, and PROVISION_* (service/provisioning/README.md); verify reads
S3_* with the service's key, and has no use for the other.
Exit codes: 0 done, 1 something is not as it should be and could not be made so, 2 wrong usage, 3 the configuration
is wrong or the store is out of reach.`,
  )

async function main(): Promise<ExitCode> {
  try {
    const flags = command.parse().opts<Flags>()
    return await run(chosenStep(command.processedArgs[0], flags), flags)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    if (error instanceof ConfigError) return complain(error.message, exitCodes.missing)
    if (!(error instanceof ObjectStoreError)) throw error
    const unreachable = error.code === 'unavailable' ? exitCodes.missing : exitCodes.failed
    return complain(`error: ${error.message}`, unreachable)
  }
}

function chosenStep(step: Step | undefined, { verify }: Flags): Step {
  if (verify && (step === undefined || step === 'verify')) return 'verify'
  if (step !== undefined && !verify) return step
  return command.error('error: give one of plan, apply, verify (or --verify) and user-policy')
}

async function run(step: Step, { json }: Flags): Promise<ExitCode> {
  if (step === 'user-policy') {
    const { docs } = await storeConfig(withoutKey)
    await printJson(userPolicy(docs, serviceRights))
    return exitCodes.done
  }
  const report = createProvisionReport(json === true)
  if (step === 'verify') return verify(report)
  const config = await parseProvisionConfig(Bun.env, readFile)
  const settings = createBucketSettings(revealed(config))
  try {
    return await (step === 'plan' ? plan(config, settings, report) : apply(config, settings, report))
  } finally {
    settings.close()
  }
}

async function plan(
  config: ProvisionConfig,
  settings: BucketSettingsClient,
  report: ProvisionReport,
): Promise<ExitCode> {
  let changes = 0
  for (const wanted of config.buckets) {
    const state = await settings.read(wanted.place.bucket)
    for (const remark of remarksOn(wanted, state)) await report.remark(remark)
    for (const change of planBucket(wanted, state)) {
      await report.change(change)
      changes += 1
    }
  }
  await report.planned(changes)
  return exitCodes.done
}

async function apply(
  config: ProvisionConfig,
  settings: BucketSettingsClient,
  report: ProvisionReport,
): Promise<ExitCode> {
  await plan(config, settings, report)
  const outcomes = []
  for (const wanted of config.buckets) {
    for (const outcome of await applyBucket(settings, wanted)) {
      outcomes.push(outcome)
      await report.outcome(outcome)
    }
  }
  await remarkOnVersions(config, report)
  const failed = outcomes.filter(({ done, harmless }) => !done && !harmless)
  await report.applied(
    outcomes.filter(({ done }) => done).length,
    outcomes.filter(({ done }) => !done).length,
  )
  return failed.length === 0 ? exitCodes.done : exitCodes.failed
}

/** Versions cost more than space on some stores. */
async function remarkOnVersions(config: ProvisionConfig, report: ProvisionReport): Promise<void> {
  const { bucket, prefix } = config.docs
  const wanted = config.buckets.find(({ place }) => place.bucket === bucket)
  if (!wanted?.versioning) return
  const held = await conditionalWritesHold({ ...revealed(config), bucket }, prefix)
  if (!held) await report.remark({ bucket, remark: noCompareAndSet })
}

async function verify(report: ProvisionReport): Promise<ExitCode> {
  const { s3, docs, loki, tempo } = await storeConfig()
  const { bucket } = docs
  const connection = {
    ...{ ...s3, bucket },
    accessKeyId: s3.accessKeyId.reveal(),
    secretAccessKey: s3.secretAccessKey.reveal(),
  }
  const others = [loki?.bucket, tempo?.bucket].filter((each) => each !== undefined && each !== bucket)
  const tried = await verifyRights(connection, docs, others as string[], report.tried)
  const broken = tried.filter(({ held }) => !held)
  await report.verified(tried.length, broken.length)
  return broken.length === 0 ? exitCodes.done : exitCodes.failed
}

/** A policy is about a bucket, whoever will have it. */
const withoutKey = { S3_ACCESS_KEY_ID: 'not-read', S3_SECRET_ACCESS_KEY: 'not-read' }

function storeConfig(instead: Record<string, string> = {}) {
  const isFile = (name: string) => name.replace(/_FILE$/, '') in instead
  const env = Object.fromEntries(Object.entries(Bun.env).filter(([name]) => !isFile(name)))
  return parseStoreConfig({ ...env, ...instead }, readFile)
}

function readFile(path: string): string {
  return readFileSync(path, 'utf8')
}

function complain(message: string, exitCode: ExitCode): ExitCode {
  process.stderr.write(`${message}\n`)
  return exitCode
}

process.exitCode = await main()
