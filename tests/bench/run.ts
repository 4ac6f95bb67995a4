/**
 * `bun run bench`: what the service costs compared with the object store behind it. Both run here,
 * each as a process of its own, and are asked for the same things by the same load in turn; what counts is the
 * ratio. See README.md. Exit code 0 also where a target is missed, 1 if anything failed, 2 for wrong usage.
 */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compareGet } from './compare-get.ts'
import { compareLargePut } from './compare-large-put.ts'
import { compareList } from './compare-list.ts'
import { compareSign } from './compare-sign.ts'
import { compareSmallPut } from './compare-small-put.ts'
import { compareTelemetry } from './compare-telemetry.ts'
import { type Comparison, type Measured, measure, type Operation, operations } from './comparison.ts'
import { machine, report, summary, table } from './report.ts'
import { type Stage, setStage } from './stage.ts'
import { requireWrk } from './wrk.ts'

const usage = `bun run bench [--quick] [--only ${operations.join(',')}] [--json FILE] [--profile FOLDER]`

interface Options {
  rounds: number
  seconds: number
  only: readonly Operation[]
  json: string | undefined
  profile: string | undefined
}

type Make = (stage: Stage) => Promise<Comparison>

/** Each comparison with the ratio that it should reach (ARCHITECTURE.md, "Performance goals"). */
const comparisons: readonly (readonly [Operation, Make])[] = [
  ['sign', async () => compareSign()],
  [
    'get',
    (stage) =>
      compareGet(stage, {
        title: 'GET 4 KiB, 16 connections',
        size: 4096,
        connections: 16,
        target: 0.6,
        unit: 'requests/s',
      }),
  ],
  [
    'get',
    (stage) =>
      compareGet(stage, {
        title: 'GET 64 KiB, 16 connections',
        size: 2 ** 16,
        connections: 16,
        target: 0.41,
        unit: 'requests/s',
      }),
  ],
  [
    'get',
    (stage) =>
      compareGet(stage, {
        title: 'GET 4 KiB by latest, 16 connections',
        size: 4096,
        connections: 16,
        by: 'latest',
        target: 0.35,
        unit: 'requests/s',
      }),
  ],
  [
    'get',
    (stage) =>
      compareGet(stage, {
        title: 'GET 64 KiB by latest, 16 connections',
        size: 2 ** 16,
        connections: 16,
        by: 'latest',
        target: 0.3,
        unit: 'requests/s',
      }),
  ],
  [
    'get',
    (stage) =>
      compareGet(stage, {
        title: 'GET 64 MiB, 1 connection',
        size: 2 ** 26,
        connections: 1,
        target: 0.85,
        unit: 'MiB/s',
      }),
  ],
  [
    'get',
    (stage) =>
      compareGet(stage, {
        title: 'GET 64 MiB, 4 connections',
        size: 2 ** 26,
        connections: 4,
        target: 0.85,
        unit: 'MiB/s',
      }),
  ],
  ['put', (stage) => compareSmallPut(stage, 0.8)],
  ['put', (stage) => compareLargePut(stage, { connections: 1, target: 0.75 })],
  ['put', (stage) => compareLargePut(stage, { connections: 4, target: 0.75 })],
  // At most 1.3 times as long: at least 1 / 1.3 of the rate.
  ['list', (stage) => compareList(stage, { connections: 1, target: 1 / 1.3 })],
  ['list', (stage) => compareList(stage, { connections: 4, target: 1 / 1.3 })],
  ['telemetry', (stage) => compareTelemetry(stage, 'get')],
  ['telemetry', (stage) => compareTelemetry(stage, 'list')],
]

process.exitCode = await main(process.argv.slice(2))

async function main(argv: string[]): Promise<number> {
  let options: Options
  try {
    options = readOptions(argv)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`)
    return 2
  }
  try {
    const before = machine()
    const results = await measureAll(options)
    console.log(`\n${table(results)}\n\n${summary(results)}`)
    if (options.json) await writeFile(options.json, report(options, before, results))
    return 0
  } catch (error) {
    console.error(error)
    return 1
  }
}

function readOptions(argv: string[]): Options {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean' },
      only: { type: 'string' },
      json: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  const only = values.only?.split(',') ?? operations
  const unknown = only.filter((name) => !operations.some((operation) => operation === name))
  if (unknown.length > 0) throw new Error(`nothing to measure is called ${unknown.join(', ')}`)
  return {
    rounds: values.quick ? 3 : 7,
    seconds: values.quick ? 1 : 3,
    only: operations.filter((operation) => only.includes(operation)),
    json: values.json,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
  }
}

async function measureAll({ rounds, seconds, only, profile }: Options): Promise<Measured[]> {
  await requireWrk()
  const stage = await setStage(profile)
  try {
    const results: Measured[] = []
    for (const [operation, make] of comparisons) {
      if (!only.includes(operation)) continue
      const comparison = await make(stage)
      const onRound = (round: number) => console.error(`${comparison.title}: round ${round} of ${rounds}`)
      const measured = await measure(comparison, { rounds, seconds, onRound }).finally(comparison.close)
      console.error(table(measured))
      results.push(...measured)
    }
    return results
  } finally {
    await stage.stop()
  }
}
