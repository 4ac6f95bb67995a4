import { readFileSync } from 'node:fs'
import { type Config, ConfigError, parseConfig } from './config/config.ts'
import { createService } from './create-service.ts'
import { isAlive, livenessFlag } from './health-check.ts'
import { limits } from './limits.ts'

/** EX_CONFIG of sysexits.h: an orchestrator that sees it need not try again. */
const configurationExitCode = 78

// The health check of a container: an image without a shell has no other program for it.
if (Bun.argv.includes(livenessFlag))
  process.exit((await isAlive({ HOST: Bun.env.HOST, PORT: Bun.env.PORT })) ? 0 : 1)

const service = await createService(await readConfig())
service.start()
void service.unfit.then(async () => {
  await service.close({ now: true })
  process.exit(configurationExitCode)
})
process.once('SIGTERM', () => stop('SIGTERM', limits.drainNoticeSeconds))
// A person at a terminal is no load balancer, which would have to notice first.
process.once('SIGINT', () => stop('SIGINT', 0))

async function readConfig(): Promise<Config> {
  try {
    return await parseConfig(Bun.env, (path) => readFileSync(path, 'utf8'))
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
