import { truncate } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { answersOk, type ServerProcess, startServer } from '../servers/server-process.ts'

const root = resolve(import.meta.dir, '../..')

/** The store is up by then: what takes longer will not come. */
const readySecondsMax = 30

/** The service lets transfers finish for up to a minute by itself. */
const stopSecondsMax = 70

/**
 * Runs the service as a child process and waits until `/readyz` answers 200. It prints to `logFile`, which is
 * emptied first.
 *
 * @throws {ServerStartError} if it ends before that, such as over its configuration; with its last lines.
 */
export async function startService(
  url: string,
  env: Record<string, string>,
  logFile: string,
): Promise<ServerProcess> {
  await truncate(logFile).catch(() => {})
  return startServer({
    name: 'the service',
    argv: [process.execPath, join(root, 'service/main.ts')],
    env,
    cwd: root,
    logFile,
    isReady: () => answersOk(`${url}/readyz`),
    readySecondsMax,
    stopSecondsMax,
    // On SIGTERM it keeps serving for some seconds, for load balancers; there is none here.
    stopSignal: 'SIGINT',
  })
}
