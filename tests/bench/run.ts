/**
 * `bun run bench`: what the service costs compared with the object store behind it, and with what could stand in its
 * place. All run here, each as a process of its own, and are asked for the same things by the same load in turn; what counts
 * is the ratio. See README.md. Exit code 0 also where a target is missed, 1 if anything failed, 2 for wrong usage.
 */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import { type Measured, measure, type Operation, operations } from './comparison.ts'
import { measureFootprint } from './footprint.ts'
import { writePerformancePage } from './performance-page.ts'
import { footprintTable, machine, type Results, type RunOptions, report, summary, table } from './report.ts'
import { rows } from './rows.ts'
import { setStage } from './stage.ts'
import { requireWrk } from './wrk.ts'

/** One for developers, and what stands for production. */
const stores = ['minio', 'ceph-rgw'] as const
const usage = `bun run bench [--quick] [--store ${stores.join('|')}] [--only ${operations.join(',')}] [--json FILE] [--page] [--profile FOLDER]`

interface Options extends RunOptions {
  store: (typeof stores)[number]
  only: readonly Operation[]
  json: string | undefined
  /** Writes table and picture into `docs/performance.md`. */
  page: boolean
  profile: string | undefined
}

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
    const { results, footprint } = await measureAll(options)
    const tables = [...results.map(table), ...(footprint.length > 0 ? [footprintTable(footprint)] : [])]
    console.log(`\n${tables.join('\n\n')}\n\n${summary(results, footprint)}`)
    if (options.json) await writeFile(options.json, report(options, before, { results, footprint }))
    if (options.page) await writePerformancePage(options, before, { results, footprint })
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
      store: { type: 'string' },
      json: { type: 'string' },
      page: { type: 'boolean' },
      profile: { type: 'string' },
    },
  })
  const only = values.only?.split(',') ?? operations
  const unknown = only.filter((name) => !operations.some((operation) => operation === name))
  if (unknown.length > 0) throw new Error(`nothing to measure is called ${unknown.join(', ')}`)
  const store = stores.find((name) => name === (values.store ?? 'minio'))
  if (!store) throw new Error(`there is no store ${values.store} to measure on`)
  return {
    store,
    rounds: values.quick ? 3 : 7,
    seconds: values.quick ? 1 : 3,
    only: operations.filter((operation) => only.includes(operation)),
    json: values.json,
    page: values.page ?? false,
    profile: values.profile === undefined ? undefined : resolve(values.profile),
  }
}

async function measureAll({ store, rounds, seconds, only, profile }: Options): Promise<Results> {
  await requireWrk()
  const stage = await setStage(store, profile)
  const chosen = rows.filter(([operation]) => only.includes(operation))
  const bar = new SingleBar({
    format: '{bar} {value}/{total} {title}',
    clearOnComplete: true,
    hideCursor: true,
  })
  try {
    bar.start(chosen.length * rounds, 0, { title: '' })
    const results: Measured[] = []
    for (const [, make] of chosen) {
      const comparison = await make(stage)
      const { title } = comparison
      bar.update({ title })
      const onRound = (round: number) => bar.update(results.length * rounds + round - 1, { title })
      results.push(await measure(comparison, { rounds, seconds, onRound }).finally(comparison.close))
    }
    const footprint = only.includes('footprint') ? await measureFootprint(stage, rounds) : []
    return { results, footprint }
  } finally {
    bar.stop()
    await stage.stop()
  }
}
