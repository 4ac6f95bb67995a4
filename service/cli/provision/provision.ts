import { Argument } from 'commander'
import { ObjectStoreError } from '../../object-store/object-store.ts'
import { type BucketSettingsClient, createBucketSettings } from '../../object-store/s3/bucket-settings.ts'
import { storeConnection } from '../../object-store/s3/open-store.ts'
import { applyBucket, type Outcome } from '../../provisioning/apply.ts'
import { userPolicy } from '../../provisioning/bucket-policy.ts'
import {
  conditionalWritesHold,
  noConditions,
  problemOfVersions,
} from '../../provisioning/conditional-writes.ts'
import { planBucket, type Remark, remarksOn } from '../../provisioning/plan.ts'
import { type ProvisionConfig, parseProvisionConfig } from '../../provisioning/provision-config.ts'
import { serviceRights } from '../../provisioning/service-rights.ts'
import { verifyRights } from '../../provisioning/verify.ts'
import { createCommand, type ExitCode, exitCodes, LocalFailure, runCommand, UsageError } from '../command.ts'
import { createReport, printJson, type Report, storeSentence } from '../output.ts'
import { readStoreConfig, readTextFile, remarkOnProxy } from '../store.ts'

interface Flags {
  verify?: true
  json?: true
}

const steps = ['plan', 'apply', 'user-policy'] as const
type Step = (typeof steps)[number]

const command = createCommand(
  'bun run provision',
  'Sets up the buckets as the service, Loki and Tempo need them. Can be repeated.',
)
  .addArgument(new Argument('[step]', 'what to do; see below').choices(steps))
  .option('--verify', "try with the service's key what it needs and what it must not be able to do")
  .option('--json', 'one JSON object per line')
  .addHelpText(
    'after',
    `
  plan         shows what differs from what should be, and changes nothing
  apply        changes it, and reports what the store could not do
  user-policy  prints the rights of the service as a policy for stores that have users, such as MinIO

plan and apply read PROVISION_* (service/provisioning/README.md) and S3_* except for the service's key; --verify reads S3_* with
the service's key, and needs no PROVISION_*.`,
  )

await runCommand<Flags>(command, async (flags) => {
  try {
    const report = createReport(flags.json)
    const step: Step | undefined = command.processedArgs[0]
    if ((step === undefined) !== (flags.verify === true)) {
      throw new UsageError('give one of plan, apply, user-policy and --verify')
    }
    return await (step === undefined ? verify(report) : run(step, report))
  } catch (error) {
    // The store answered, and refused what was asked: waiting does not help.
    if (!(error instanceof ObjectStoreError) || error.code === 'unavailable') throw error
    throw new LocalFailure(storeSentence(error))
  }
})

async function run(step: Step, report: Report): Promise<ExitCode> {
  if (step === 'user-policy') {
    const { docs } = await readStoreConfig(withoutServiceKey())
    await printJson(userPolicy(docs, serviceRights))
    return exitCodes.done
  }
  const config = await parseProvisionConfig(Bun.env, readTextFile)
  const settings = createBucketSettings(storeConnection(config))
  try {
    return await (step === 'plan' ? plan(config, settings, report) : apply(config, settings, report))
  } finally {
    settings.close()
  }
}

async function plan(
  config: ProvisionConfig,
  settings: BucketSettingsClient,
  report: Report,
): Promise<ExitCode> {
  let changes = 0
  for (const wanted of config.buckets) {
    const state = await settings.read(wanted.place.bucket)
    for (const remark of remarksOn(wanted, state)) await reportRemark(report, remark)
    for (const change of planBucket(wanted, state)) {
      const { bucket, setting, is, shouldBe, impossible } = change
      const blocker = impossible === undefined ? '' : ` (${impossible})`
      await report({ event: 'change', ...change }, `~ ${bucket}: ${setting}: ${is} → ${shouldBe}${blocker}`)
      changes += 1
    }
  }
  const line = changes === 0 ? '✓ everything is as it should be' : `${changes} to change`
  await report({ event: 'planned', changes }, line)
  return exitCodes.done
}

async function apply(
  config: ProvisionConfig,
  settings: BucketSettingsClient,
  report: Report,
): Promise<ExitCode> {
  await plan(config, settings, report)
  const problem = await problemOfPlan(config, settings)
  if (problem) {
    await reportOutcome(report, { ...problem, done: false })
    await report({ event: 'applied', done: 0, notDone: 1 }, '✗ nothing was changed')
    return exitCodes.failed
  }
  const outcomes: Outcome[] = []
  for (const wanted of config.buckets) {
    for (const outcome of await applyBucket(settings, wanted)) {
      outcomes.push(outcome)
      await reportOutcome(report, outcome)
    }
  }
  await remarkOnVersions(config, report)
  const failed = outcomes.filter(({ done, harmless }) => !done && !harmless)
  const done = outcomes.filter((outcome) => outcome.done).length
  const notDone = outcomes.length - done
  const line = `${notDone === 0 ? '✓' : '!'} ${done} changed, ${notDone} that the store could not do`
  await report({ event: 'applied', done, notDone }, line)
  return failed.length === 0 ? exitCodes.done : exitCodes.failed
}

/** Finds out whether versions are asked for where they would cost the conditions of writes, before anything is changed. */
async function problemOfPlan(
  config: ProvisionConfig,
  settings: BucketSettingsClient,
): Promise<Omit<Outcome, 'done'> | undefined> {
  const { bucket } = config.docs
  const wanted = config.buckets.find(({ place }) => place.bucket === bucket)
  if (!wanted?.versioning || config.singleReplica) return undefined
  const is = (await settings.read(bucket))?.versioning ?? 'off'
  if (is === 'Enabled') return undefined
  const why = await problemOfVersions(settings, storeConnection(config))
  return why === undefined ? undefined : { bucket, setting: 'versioning', is, shouldBe: 'Enabled', why }
}

/** On some stores versions cost more than space. */
async function remarkOnVersions(config: ProvisionConfig, report: Report): Promise<void> {
  const { bucket, prefix } = config.docs
  const wanted = config.buckets.find(({ place }) => place.bucket === bucket)
  if (!wanted?.versioning) return
  const held = await conditionalWritesHold(storeConnection(config), prefix)
  if (!held) await reportRemark(report, { bucket, remark: noConditions })
}

async function verify(report: Report): Promise<ExitCode> {
  const config = await readStoreConfig()
  remarkOnProxy(config)
  const { docs, loki, tempo } = config
  const others = [loki?.bucket, tempo?.bucket].filter(
    (each): each is string => each !== undefined && each !== docs.bucket,
  )
  const tried = await verifyRights(
    storeConnection(config),
    docs,
    others,
    ({ what, expected, held, seen }) => {
      const line = `${held ? '✓' : '✗'} ${what} ${expected === 'works' ? 'works' : 'is refused'}: ${seen}`
      return report({ event: 'tried', what, expected, held, seen }, line)
    },
  )
  const broken = tried.filter(({ held }) => !held).length
  const line = `${broken === 0 ? '✓' : '✗'} ${tried.length} tried, ${broken} wrong`
  await report({ event: 'verified', tried: tried.length, broken }, line)
  return broken === 0 ? exitCodes.done : exitCodes.failed
}

function reportRemark(report: Report, { bucket, remark }: Remark): Promise<void> {
  return report({ event: 'remark', bucket, remark }, `  ${bucket}: ${remark}`)
}

function reportOutcome(report: Report, outcome: Outcome): Promise<void> {
  const { bucket, setting, shouldBe, done, why, harmless } = outcome
  const mark = done ? '✓' : harmless ? '-' : '✗'
  const line = `${mark} ${bucket}: ${setting}: ${shouldBe}${why === undefined ? '' : `: ${why}`}`
  return report({ event: 'outcome', ...outcome }, line)
}

/** The environment without the service's key: the policy is about a bucket, whichever key will have it. */
function withoutServiceKey(): Record<string, string | undefined> {
  const placeholder = { S3_ACCESS_KEY_ID: 'not-read', S3_SECRET_ACCESS_KEY: 'not-read' }
  const { S3_ACCESS_KEY_ID_FILE: _id, S3_SECRET_ACCESS_KEY_FILE: _secret, ...rest } = Bun.env
  return { ...rest, ...placeholder }
}
