/**
 * `bun run start`: brings up an object store, a local issuer of tokens and the service, prints `ready <link>`,
 * which signs in at the Control UI, and stops all of it on Ctrl-C. Every PORT has its own data, in `.local/<port>/`.
 */
import { chmod, mkdir, truncate } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  createCommand,
  exitCodes,
  IncompleteError,
  LocalFailure,
  runCommand,
} from '../../service/cli/command.ts'
import { startLocalIssuer } from '../../service/cli/local-issuer/issuer.ts'
import { localScope, localTenants, signInLink } from '../../service/cli/local-issuer/sign-in-code.ts'
import {
  localFolder,
  readLocalStarts,
  removeLocalStart,
  writeLocalStart,
} from '../../service/cli/local-issuer/starts.ts'
import { withProgress } from '../../service/cli/progress.ts'
import { openStore, readStoreConfig } from '../../service/cli/store.ts'
import { ConfigError } from '../../service/config/config.ts'
import type { Environment } from '../../service/config/parse.ts'
import { convert } from '../../service/documents/maintenance/conversion.ts'
import { probeCors } from '../../service/object-store/probe/bucket.ts'
import { createScratch } from '../../service/object-store/probe/scratch.ts'
import { storeConnection } from '../../service/object-store/s3/open-store.ts'
import { tryLock } from '../servers/file-lock.ts'
import { isPortFree } from '../servers/free-port.ts'
import { answersOk, type ServerProcess, startServer } from '../servers/server-process.ts'
import { readSettings, replacedVariables, type StartSettings, serviceEnvironment } from './environment.ts'
import { launchersEnded } from './launchers.ts'
import { findStore } from './store.ts'

const root = resolve(import.meta.dir, '../..')

/** The store is up by then: a service that takes longer will not come up. */
const readySecondsMax = 30

/** The service lets transfers finish for up to a minute by itself. */
const stopSecondsMax = 70

/** One question to the store; `start` waits for it. */
const answerSecondsMax = 5

/** What has been started, in that order; stopped in reverse. */
const started: { name: string; stop: () => Promise<void> }[] = []

/** Resolves with the reason why everything has to stop; rejects where something ended by itself. */
const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<string>()

const command = createCommand(
  'bun run start',
  'Brings up an object store, a local issuer of tokens and the service, and stops them on Ctrl-C (exit code 0).',
).option('--local <folder>', 'where it keeps its state', localFolder)

await runCommand<{ local: string }>(command, async ({ local }, { signal }) => {
  signal.addEventListener('abort', () => end((signal.reason as Error).message))
  void launchersEnded(process.env).then(() => end('the program that launched this has ended'))
  try {
    const settings = readSettings(process.env)
    const up = startAll(settings, local)
    const why = await Promise.race([ended, up.then(() => ended)])
    console.error(`stopping: ${why}`)
    await up.catch(() => {})
    return exitCodes.done
  } finally {
    await stopAll()
  }
})
// Idle connections would keep the process for seconds.
process.exit()

async function startAll(settings: StartSettings, local: string): Promise<void> {
  const { port } = settings
  const folder = await claim(port, local)
  const url = `http://127.0.0.1:${port}`
  for (const name of replacedVariables(process.env))
    console.error(`${name} is replaced by what start brings up`)
  const store = await withProgress('object store', (onProgress) =>
    findStore({ ...settings, folder, uiOrigins: [url], env: process.env, onProgress }),
  )
  started.push({ name: 'object store', stop: store.stop })
  void store.exited.then(() => fail(new LocalFailure('the object store ended by itself')))
  console.log(`object store: ${store.description}`)
  const refused = await browsersRefused(store.environment, url)
  if (refused !== null) console.log(`browsers: ${refused}, so the UI sends and fetches through the service`)

  if (process.env.S3_ENDPOINT === undefined) await convertOwnData(store.environment)

  const issuer = await startLocalIssuer({ uiOrigins: [url] })
  started.push({ name: 'issuer', stop: issuer.stop })

  const logFile = join(folder, 'service.log')
  const env = serviceEnvironment(process.env, port, store.environment, issuer)
  const service = await startService(url, env, logFile)
  started.push({ name: 'service', stop: service.stop })
  void service.exited.then(() => fail(new LocalFailure(`the service ended by itself, see ${logFile}`)))

  const { issuer: name, audience, privateJwk: jwk } = issuer
  const startedAt = new Date().toISOString()
  const ownStore = process.env.S3_ENDPOINT === undefined ? { store: store.environment } : {}
  const state = { url, issuer: name, audience, jwk, startedAt, ...ownStore, pid: process.pid }
  await writeLocalStart(port, state, local)
  started.push({ name: 'state', stop: () => removeLocalStart(port, local) })
  console.log(`logs: ${logFile}`)
  const code = await issuer.signCode({ tenants: localTenants, scope: localScope })
  console.log(`ready ${signInLink(url, code)}\n${howToTry(url, port)}`)
}

/**
 * Makes the folder of this port and locks it for this process.
 *
 * @throws {IncompleteError} if the port is taken, with by what and what to do.
 */
async function claim(port: number, local: string): Promise<string> {
  const folder = join(local, String(port))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(local, 0o700)
  const release = tryLock(join(folder, 'lock'))
  if (release !== null && (await isPortFree(port))) {
    started.push({ name: 'lock', stop: async () => release() })
    return folder
  }
  release?.()
  const other = (await readLocalStarts(local)).get(port)
  const start = other
    ? `a start since ${other.startedAt}, process ${other.pid}`
    : 'another start that is coming up or stopping'
  const taker = release === null ? start : 'another program'
  throw new IncompleteError(
    `port ${port} is taken by ${taker}; choose another one: PORT=${port + 1} npx -y bun@1.4.5 run start`,
  )
}

async function stopAll(): Promise<void> {
  for (const { name, stop } of started.reverse()) {
    try {
      await stop()
    } catch (error) {
      console.error(`${name} did not stop: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

/**
 * Runs the service as a child process and waits until `/readyz` answers 200. It prints to `logFile`, which is
 * emptied first.
 *
 * @throws {ServerStartError} if it ends before that, for example over its configuration; with its last lines.
 */
async function startService(
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

/**
 * Turns what an earlier version has kept in the store of this port into records: the service reads nothing but those.
 *
 * @param environment the `S3_*` variables of the store.
 */
async function convertOwnData(environment: Environment): Promise<void> {
  const { store, close } = openStore(await readStoreConfig(environment))
  let converted = 0
  try {
    for await (const { ref, tags } of convert(store, { parallelMax: 8 })) {
      for (const { tag, result } of tags) {
        if (result === 'converted') converted += 1
        else console.error(`${ref.tenant} ${ref.type}/${ref.name} tag ${tag} is not converted: ${result}`)
      }
    }
  } finally {
    close()
  }
  if (converted > 0) console.log(`converted: ${converted} tags of an earlier version`)
}

/**
 * Returns why browsers at `origin` cannot transfer directly to and from the store, in one line; `null` where they can.
 *
 * @param store its `S3_*` variables; the service reports better what is wrong with them.
 */
async function browsersRefused(store: Environment, origin: string): Promise<string | null> {
  try {
    const config = await readStoreConfig(store)
    const connection = storeConnection(config)
    const browser = { ...connection, endpoint: connection.publicEndpoint }
    const scratch = createScratch(browser, config.docs.prefix, { answerSecondsMax, origin })
    const { verdict, seen } = await probeCors(scratch)
    await scratch.cleanUp()
    return verdict === 'yes' ? null : `the store does not allow pages of ${origin} (CORS: ${seen})`
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}

/** Returns how to try the service, as commands to copy: the last lines that are printed. */
function howToTry(url: string, port: number): string {
  const run = 'npx -y bun@1.4.5 run --silent'
  const documents = `${url}/v1/tenants/acme/documents`
  return [
    'The link signs in once, within an hour. For another one, run in another terminal:',
    `  ${run} link --port ${port}`,
    'Or try the API there:',
    `  TOKEN=$(${run} token --port ${port} --tenant acme --scope "documents:read documents:write")`,
    `  curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: text/markdown" -T README.md ${documents}/definitions/README.md`,
    `  curl -H "Authorization: Bearer $TOKEN" "${documents}?type=definitions"`,
    `  curl -H "Authorization: Bearer $TOKEN" ${documents}/definitions/README.md`,
    'Ctrl-C stops it; the documents stay.',
  ].join('\n')
}
