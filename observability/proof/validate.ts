/**
 * `bun run validate [loki|tempo] [--all]`: proves that logs and traces land under their prefixes, come back from
 * there, and that nothing else is touched. README.md says what each line means.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { CheckResult } from '../../service/cli/checks/check.ts'
import { resultLines, summaryLine } from '../../service/cli/checks/result-lines.ts'
import { runChecks } from '../../service/cli/checks/run-checks.ts'
import { type ExitCode, exitCodes, runCommand, UsageError } from '../../service/cli/command.ts'
import { showProgress } from '../../service/cli/progress.ts'
import { ConfigError } from '../../service/config/config.ts'
import { redactText } from '../../service/telemetry/redaction.ts'
import { setupFacts } from './checks/proof-check.ts'
import { type Evidence, evidenceIn } from './evidence.ts'
import { type Flags, type Request, requestOf, validateCommand } from './flags.ts'
import { checksOf } from './plan.ts'
import { junitReport, type Report, reportOf } from './report.ts'
import { isMissing, type Setup, setUp } from './setup.ts'

const root = resolve(import.meta.dir, '../..')

const command = validateCommand()
await runCommand(command, async (_flags, { signal }) => {
  const exitCode = await validate(requestOf(command), signal)
  return signal.aborted ? exitCodes.interrupted : exitCode
})

async function validate(request: Request, signal: AbortSignal): Promise<ExitCode> {
  const { flags } = request
  const started = new Date()
  const time = started
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')
  const evidence = evidenceIn(resolve(flags.evidence ?? join(root, '.local/validate', time)))
  const display = showResults(flags, signal)
  const { setup, results, left } = await prove({ request, evidence, display, signal }).finally(display.finish)
  const report = reportOf({
    ...(setup?.facts ?? unknownFacts(flags)),
    started,
    evidence: evidence.folder,
    checks: results,
    left,
  })
  await keepReport(report, evidence, flags)
  printEnd(report, flags)
  return report.exitCode
}

type Display = ReturnType<typeof showResults>

interface Run {
  request: Request
  evidence: Evidence
  display: Display
  signal: AbortSignal
}

async function prove(run: Run): Promise<{ setup: Setup | null; results: CheckResult[]; left: string[] }> {
  const { request, evidence, display, signal } = run
  const { setup, result } = await tryToSetUp(run)
  display.print(result)
  if (setup === null) {
    const untried = checksOf(request).map(({ id, sentence }): CheckResult => {
      return { id, sentence, verdict: 'not run', seen: '', reason: 'needs setup', seconds: 0 }
    })
    for (const one of untried) display.print(one)
    return { setup, results: [result, ...untried], left: [] }
  }
  display.expect(setup.proof.checks.length)
  try {
    const results = await runChecks(setup.proof.checks, {
      signal,
      onStart: display.begin,
      onEnd: display.print,
      onThrown: (id, thrown) => void evidence.write(`${id}.thrown.txt`, Bun.inspect(thrown)),
    })
    return { setup, results: [result, ...results], left: await leftBy(setup) }
  } finally {
    await setup.stop()
  }
}

/** The results are reported even if cleaning up fails. */
async function leftBy({ proof }: Setup): Promise<string[]> {
  try {
    return await proof.close()
  } catch (error) {
    return [redactText(error instanceof Error ? error.message : String(error))]
  }
}

async function tryToSetUp({
  request,
  evidence,
  display: { report },
  signal,
}: Run): Promise<{ setup: Setup | null; result: CheckResult }> {
  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  const { id, sentence } = setupFacts
  try {
    const options = { request, env: Bun.env, evidence, signal, onProgress: report }
    const setup = await setUp(options)
    const result: CheckResult = {
      ...{ id, sentence, verdict: 'proved', seen: setup.seen, reason: '', seconds: seconds() },
    }
    return { setup, result }
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigError) throw error
    // An unexpected error is kept with its stack; the report has its message.
    if (!isMissing(error)) await evidence.write('setup.thrown.txt', Bun.inspect(error))
    const verdict = isMissing(error) ? ('missing' as const) : ('failed' as const)
    // It may quote what a server or a program said.
    const reason = redactText(error instanceof Error ? error.message : String(error))
    return { setup: null, result: { id, sentence, verdict, seen: '', reason, seconds: seconds() } }
  }
}

/** Shows results on standard output as they come, unless that is for one JSON object; progress on standard error. */
function showResults({ json }: Flags, signal: AbortSignal) {
  const progress = showProgress('validate')
  const running = new Set<string>()
  let [ended, all] = [0, 0]
  const tell = () => {
    if (all > 0) progress.report(`${ended} of ${all} checks, now ${[...running].join(', ') || 'cleaning up'}`)
  }
  return {
    report: progress.report,
    /** Sets the number of checks after the first one. */
    expect(count: number) {
      all = count + 1
    },
    begin({ id }: { id: string }) {
      running.add(id)
      tell()
    },
    print(result: CheckResult) {
      running.delete(result.id)
      ended += 1
      tell()
      if (json) return
      // The progress line is on the same terminal.
      if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K')
      console.log(resultLines(result))
    },
    finish: () => progress.finish(signal.aborted ? 'interrupted' : 'done'),
  }
}

async function keepReport(report: Report, evidence: Evidence, { junit }: Flags): Promise<void> {
  await evidence.write('report.json', `${JSON.stringify(report, null, 2)}\n`)
  await evidence.write('junit.xml', junitReport(report.checks))
  if (junit === undefined) return
  await mkdir(dirname(resolve(junit)), { recursive: true })
  await writeFile(junit, junitReport(report.checks))
}

function printEnd(report: Report, { json }: Flags): void {
  if (json) {
    console.log(JSON.stringify(report))
    return
  }
  if (report.left.length > 0) console.log(`left behind: ${report.left.join(', ')}`)
  console.log(`evidence: ${report.evidence}`)
  console.log(summaryLine(report.checks))
}

function unknownFacts({ against, deploy }: Flags): Setup['facts'] {
  return { deployment: against === undefined ? deploy : 'against', store: { endpoint: '' }, servers: {} }
}
