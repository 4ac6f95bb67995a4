import { readFileSync } from 'node:fs'
import { ConfigError, parseConfig } from './config/config.ts'
import { createService, type Service } from './create-service.ts'
import { isAlive, livenessFlag } from './health-check.ts'
import { limits } from './limits.ts'

/** EX_CONFIG of sysexits.h: an orchestrator that sees it need not try again. */
const configurationExitCode = 78

// The health check of a container: an image without a shell has no other program for it.
if (Bun.argv.includes(livenessFlag))
  process.exit((await isAlive({ HOST: Bun.env.HOST, PORT: Bun.env.PORT })) ? 0 : 1)

/** EX_IOERR of sysexits.h: no one reads standard output, which has the audit. A restart gives it a reader. */
const outputExitCode = 74

const service = await configured()
service.start()
void service.unfit.then(async (what) => {
  if (what === 'output') process.stderr.write('Standard output is closed, and with it the audit log.\n')
  // Requests whose audit lines were written may finish.
  await service.close({ now: what === 'store' })
  process.exit(what === 'store' ? configurationExitCode : outputExitCode)
})
process.once('SIGTERM', () => stop('SIGTERM', limits.drainNoticeSeconds))
// A person at a terminal is no load balancer, which would have to notice first.
process.once('SIGINT', () => stop('SIGINT', 0))

async function configured(): Promise<Service> {
  try {
    return await createService(await parseConfig(Bun.env, (path) => readFileSync(path, 'utf8')))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(configurationExitCode)
  }
}

async function stop(signal: string, noticeSeconds: number): Promise<void> {
  await service.close({ signal, noticeSeconds })
  process.exit(0)
}
