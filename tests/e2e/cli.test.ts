import { beforeEach, describe, expect, it } from 'bun:test'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeLocalStart } from '../../service/cli/local-issuer/starts.ts'
import { takeInventories } from '../../service/documents/maintenance/inventory-walk.ts'
import { bytesOf } from '../support/client/client-service.ts'
import { docs, docsScript, type RunOptions } from '../support/commands/cli-run.ts'
import { folderForTests } from '../support/folder.ts'
import { registerSecret } from '../support/secrets.ts'
import { ownChildService } from '../support/service/own-service.ts'
import { probed } from '../support/service/probed.ts'
import { digestOf } from '../support/service/sample-documents.ts'
import { until } from '../support/waiting.ts'

let folder: string

const { service } = await ownChildService()
// Before the service asks for keys the first time.
const { kty = '', kid = '', ...rest } = await service.issuer.addKey()
registerSecret(rest.d ?? '')
const jwk = { kty, kid, ...rest }
beforeEach(async () => {
  folder = await folderForTests('cli-')
})

async function run(args: string[], options: RunOptions = {}) {
  const env = {
    DOCUMENTS_URL: service.url,
    DOCUMENTS_TOKEN: await service.token(),
    DOCUMENTS_TENANT: 'acme',
    ...options.env,
  }
  return docs(args, { cwd: folder, ...options, env })
}

/** Runs it, expects it to succeed, and gives its JSON lines. */
async function json(args: string[], options: RunOptions = {}): Promise<unknown[]> {
  const { code, stdout, stderr } = await run([...args, '--json'], options)
  expect([code, stderr]).toEqual([0, ''])
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
}

/** Waits until the service has found out what its store can do. */
async function ticketsAre(): Promise<void> {
  await probed(service)
}

describe('bun run documents on the real service', () => {
  it('stores a file, lists it by prefix and fetches it again byte for byte', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    await writeFile(join(folder, 'orders-api.tgz'), bytes)
    const put = await run(['put', 'orders-api.tgz', '--type', 'deployment-bundles'])
    const version = `deployment-bundles/orders-api.tgz@${digestOf(bytes)}`
    expect(put).toEqual({ code: 0, stdout: `stored: ${version} (58.6 KiB)\n`, stderr: '' })
    const again = await run(['put', 'orders-api.tgz', 'deployment-bundles/orders-api.tgz'])
    expect(again.stdout).toBe(`was already stored: ${version} (58.6 KiB)\n`)
    const list = await run(['list', 'deployment-bundles/orders'])
    expect(list.stdout).toMatch(
      new RegExp(`^\\S+Z +58\\.6 KiB  ${digestOf(bytes)}  deployment-bundles/orders-api\\.tgz\n$`),
    )
    const get = await run(['get', version, '-o', 'back.tgz'])
    expect(get.code).toBe(0)
    expect(new Uint8Array(await readFile(join(folder, 'back.tgz')))).toEqual(new Uint8Array(bytes))
  })

  it('sends a file directly to the store, and signs a URL that returns it to anyone', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000))
    await writeFile(join(folder, 'direct.bin'), bytes)
    const ref = 'snapshots/direct.bin'
    await ticketsAre()
    expect(await json(['put', 'direct.bin', ref, '--via', 'ticket'])).toMatchObject([
      { created: true, via: 'ticket' },
    ])
    const { code, stdout, stderr } = await run(['url', ref, '--expires', '60'])
    expect([code, stderr]).toEqual([0, ''])
    const anyone = await fetch(stdout.trimEnd())
    expect(new Uint8Array(await anyone.arrayBuffer())).toEqual(bytes)
    expect(anyone.headers.get('content-disposition')).toContain('attachment')
    expect((await run(['get', ref, '--direct', '-o', 'back.bin'])).code).toBe(0)
    expect(new Uint8Array(await readFile(join(folder, 'back.bin')))).toEqual(bytes)
    expect(service.printed()).not.toContain('X-Amz-Signature')
  })

  it('reads standard input, and writes standard output', async () => {
    const stdin = bytesOf('{"from":"a pipe"}')
    const put = await json(['put', '-', 'definitions/piped.json', '--content-type', 'application/json'], {
      stdin,
    })
    expect(put).toMatchObject([{ created: true, document: { size: 17, contentType: 'application/json' } }])
    expect((await run(['get', 'definitions/piped.json', '-o', '-'])).stdout).toBe('{"from":"a pipe"}')
  })

  it('uploads a named pipe, whose size is unknown', async () => {
    const env = { PATH: process.env.PATH, DOCUMENTS_URL: service.url, DOCUMENTS_TOKEN: await service.token() }
    const line =
      'mkfifo pipe && (printf hello > pipe &) && "$0" "$1" put pipe definitions/fifo --tenant acme --json'
    const child = Bun.spawn(['sh', '-c', line, process.execPath, docsScript], {
      cwd: folder,
      env,
      stdout: 'pipe',
    })
    expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({ document: { size: 5 } })
  })

  it('derives the media type from the extension of the file', async () => {
    await writeFile(join(folder, 'guessed.json'), '{}')
    expect(await json(['put', 'guessed.json', 'definitions/guessed'])).toMatchObject([
      { document: { contentType: expect.stringContaining('application/json') } },
    ])
  })

  it('tags what is latest, shows it among the versions, and fetches by the tag', async () => {
    const ref = 'definitions/tagged.txt'
    await run(['put', '-', ref], { stdin: bytesOf('one') })
    expect(await json(['tag', ref, 'production'])).toMatchObject([
      { created: true, tag: { tag: 'production' } },
    ])
    await run(['put', '-', ref], { stdin: bytesOf('two') })
    expect((await run(['get', `${ref}@production`, '-o', '-'])).stdout).toBe('one')
    const versions = (await json(['versions', ref])) as { digest: string; tags: string[] }[]
    expect(versions.find(({ tags }) => tags.includes('production'))?.digest).toBe(digestOf(bytesOf('one')))
    const moved = await run(['tag', ref, 'production', digestOf(bytesOf('two'))])
    expect(moved.stdout).toBe(`moved: ${ref}@production is ${digestOf(bytesOf('two'))}\n`)
    expect((await run(['get', `${ref}@production`, '-o', '-'])).stdout).toBe('two')
  })

  it('uploads and tags on conditions, and says what was there instead', async () => {
    const ref = 'definitions/conditional.txt'
    const one = { stdin: bytesOf('one') }
    const two = { stdin: bytesOf('two') }
    const first = digestOf(bytesOf('one'))
    expect((await run(['put', '-', ref, '--if-absent'], one)).code).toBe(0)
    const again = await run(['put', '-', ref, '--if-absent'], two)
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringContaining('[code precondition_failed, trace '),
    ])
    expect((await run(['put', '-', ref, '--if-latest', first], two)).code).toBe(0)
    expect((await run(['put', '-', ref, '--if-latest', first], one)).code).toBe(1)
    expect((await run(['get', ref, '-o', '-'])).stdout).toBe('two')
    expect((await run(['tag', ref, 'v1', '--if-absent'])).code).toBe(0)
    expect((await run(['tag', ref, 'v1', first, '--if-absent'])).code).toBe(1)
    for (const wrong of [
      ['put', '-', ref, '--if-latest', 'one'],
      ['put', '-', ref, '--if-latest', first, '--if-absent'],
      ['tag', ref, 'v1', '--if-absent', '--remove'],
    ])
      expect((await run(wrong, one)).code).toBe(2)
  })

  it('removes a tag and a version, and refuses while a tag keeps the version', async () => {
    const ref = 'definitions/removed.txt'
    const version = `${ref}@${digestOf(bytesOf('one'))}`
    await run(['put', '-', ref], { stdin: bytesOf('one') })
    await run(['tag', ref, 'v1'])
    const kept = await run(['rm', version, '--yes'])
    expect(kept.code).toBe(1)
    expect(kept.stderr).toContain('[code version_tagged, trace ')
    expect((await run(['tag', ref, 'v1', '--remove'])).stdout).toBe(`removed: tag ${ref}@v1\n`)
    expect(await run(['rm', version, '--yes'])).toEqual({
      code: 0,
      stdout: `removed: ${version}\n`,
      stderr: '',
    })
    const gone = await run(['get', ref])
    expect(gone.code).toBe(1)
    expect(gone.stderr).toMatch(/^error: .+ \[code document_not_found, trace [0-9a-f]{32}\]\n$/)
  })

  it('lists types and names, what has a tag, and all tags of a document', async () => {
    for (const name of ['web', 'worker']) {
      await run(['put', '-', `rollout/${name}`], { stdin: bytesOf(name) })
      await run(['tag', `rollout/${name}`, 'staging'])
    }
    await run(['tag', 'rollout/web', 'production'])
    expect((await run(['types'])).stdout.split('\n')).toContain('rollout')
    expect((await run(['names', 'rollout'])).stdout).toBe('rollout/web\nrollout/worker\n')
    expect((await run(['names', 'rollout/we', '--with', 'tags'])).stdout).toBe(
      `rollout/web  latest=${digestOf('web')}  production=${digestOf('web')}  staging=${digestOf('web')}\n`,
    )
    expect((await run(['names', 'rollout/wo', '--with', 'latest'])).stdout).toMatch(
      new RegExp(`^\\S+Z +6 B  ${digestOf('worker')}  rollout/worker\n$`),
    )
    expect((await run(['tagged', 'production', 'rollout'])).stdout).toMatch(
      new RegExp(`^\\S+Z  ${digestOf('web')}  \\S+  rollout/web\n$`),
    )
    expect(await json(['tagged', 'staging', 'rollout'])).toMatchObject([{ name: 'web' }, { name: 'worker' }])
    expect((await run(['tags', 'rollout/worker'])).stdout).toMatch(/ {2}latest\n.* {2}staging\n$/)
    expect((await run(['usage'])).stderr).toContain('[code usage_unknown, ')
    await takeInventories(service.store)
    expect((await run(['usage'])).stdout).toMatch(
      /^counted at \S+\n(.*\n)* +9 B {2}2 versions of 2 documents {2}rollout\n/,
    )
    const none = await run(['tagged', 'latest', 'rollout'])
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('include=latest')])
  })

  it('removes several versions at once, and names those that it could not remove', async () => {
    const ref = 'definitions/several.txt'
    const [one, two, three] = ['one', 'two', 'three'].map((text) => `${ref}@${digestOf(bytesOf(text))}`) as [
      string,
      string,
      string,
    ]
    for (const text of ['one', 'two']) await run(['put', '-', ref], { stdin: bytesOf(text) })
    await run(['tag', ref, 'v1', digestOf(bytesOf('one'))])
    const some = await run(['rm', one, two, three, two, '--yes'])
    expect([some.code, some.stdout]).toEqual([1, `removed: ${two}\n`])
    expect(some.stderr.split('\n')).toEqual([
      expect.stringContaining(`not removed: ${one}: `),
      expect.stringContaining('[code document_not_found, trace '),
      'error: 2 of 3 versions were not removed',
      '',
    ])
    await run(['put', '-', ref], { stdin: bytesOf('two') })
    await run(['tag', ref, 'v1', '--remove'])
    const removed = (text: string) => ({
      removed: { type: 'definitions', name: 'several.txt', digest: digestOf(bytesOf(text)) },
    })
    expect(await json(['rm', two, one, '--yes'])).toEqual([removed('two'), removed('one')])
  })

  it('downloads several versions as one tar, by digest, by tag and by a list', async () => {
    const large = crypto.getRandomValues(new Uint8Array(60_000))
    const texts = { web: bytesOf('web'), worker: bytesOf('worker'), 'orders.bin': large }
    for (const [name, stdin] of Object.entries(texts)) await run(['put', '-', `release/${name}`], { stdin })
    await run(['tag', 'release/web', 'production'])
    await run(['put', '-', 'release/web'], { stdin: bytesOf('newer') })
    const list = bytesOf(`release/orders.bin\n\n  release/web@production\n`)
    const worker = `release/worker@${digestOf('worker')}`
    const args = ['archive', 'release/web@production', worker, '--from', '-', '-o', 'release.tar']
    const saved = await run(args, { stdin: list })
    expect(saved).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: expect.stringMatching(/^saved: release\.tar has 3 versions \(\d+\.\d KiB\)\n$/),
    })
    const tar = Bun.spawn(['tar', '-x', '-f', 'release.tar'], { cwd: folder })
    expect(await tar.exited).toBe(0)
    for (const [name, bytes] of Object.entries(texts))
      expect((await readFile(join(folder, 'release', name))).equals(bytes)).toBe(true)
    const again = await run(args, { stdin: list })
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('release.tar already exists')])
    expect(await json(['archive', worker])).toEqual([
      {
        file: 'documents.tar',
        size: expect.any(Number),
        documents: [{ type: 'release', name: 'worker', digest: digestOf('worker') }],
      },
    ])
  })

  it('writes an archive to standard output, and names the versions that do not exist', async () => {
    await run(['put', '-', 'release/piped'], { stdin: bytesOf('piped') })
    const piped = await run(['archive', 'release/piped', '-o', '-'])
    expect([piped.code, piped.stderr]).toEqual([0, ''])
    expect(piped.stdout).toContain('"path":"release/piped"')
    const absent = ['release/piped', 'release/none'].map((name) => `${name}@${digestOf('absent')}`)
    const refused = await run(['archive', 'release/piped', ...absent])
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toBe(
      ['error: these versions do not exist, so there is no archive:', ...absent.map((text) => `  ${text}`)]
        .join('\n')
        .concat('\n'),
    )
    const untagged = await run(['archive', 'release/piped@nowhere'])
    expect([untagged.code, untagged.stderr]).toEqual([1, 'error: there is no release/piped@nowhere\n'])
    const none = await run(['archive'])
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no version')])
    const both = await run(['archive', 'release/piped', '-o', '-', '--json'])
    expect(both.code).toBe(2)
  })

  it('prints a link that downloads an archive once', async () => {
    await run(['put', '-', 'release/linked'], { stdin: bytesOf('linked') })
    const { code, stdout } = await run(['archive', 'release/linked', '--link'])
    expect(code).toBe(0)
    expect(await (await fetch(stdout.trimEnd())).text()).toContain('"path":"release/linked"')
    expect((await fetch(stdout.trimEnd())).status).toBe(410)
    const [link] = await json(['archive', 'release/linked', '--link'])
    expect(link).toEqual({ url: expect.stringContaining('/archives/'), expiresAt: expect.any(String) })
    expect((await run(['archive', 'release/linked', '--link', '--force'])).code).toBe(2)
    const absent = `release/linked@${digestOf('absent')}`
    expect((await run(['archive', absent, '--link'])).stderr).toContain(`\n  ${absent}\n`)
  })

  it('follows a tag, runs a command for each move, again if that fails, and continues where it was', async () => {
    const document = 'watched/app'
    for (const content of ['A', 'B', 'C']) await run(['put', '-', document], { stdin: bytesOf(content) })
    const tag = (content: string) => run(['tag', document, 'production', digestOf(content)])
    await tag('A')
    const deployed = join(folder, 'deployed')
    const broken = join(folder, 'broken')
    const exec = `test ! -e ${broken} || { rm ${broken}; exit 7; }; echo "$DOCUMENT_NAME $DOCUMENT_DIGEST" >> ${deployed}`
    const args = [
      docsScript,
      'watch',
      document,
      '--tag',
      'production',
      '--exec',
      exec,
      '--state',
      join(folder, 'state'),
    ]
    const env = {
      PATH: process.env.PATH,
      DOCUMENTS_URL: service.url,
      DOCUMENTS_TENANT: 'acme',
      DOCUMENTS_TOKEN: await service.token(),
    }
    const lines = async () =>
      (await Bun.file(deployed).exists()) ? (await Bun.file(deployed).text()).trimEnd().split('\n') : []
    const expected = (...contents: string[]) => contents.map((content) => `app ${digestOf(content)}`)
    async function watching(work: () => Promise<void>) {
      const child = Bun.spawn([process.execPath, ...args], {
        cwd: folder,
        env,
        stdout: 'pipe',
        stderr: 'pipe',
      })
      await work()
      child.kill('SIGINT')
      const [stderr, code] = [await new Response(child.stderr).text(), await child.exited]
      return { stderr, code }
    }
    await watching(async () => {
      await until(async () => (await lines()).length === 1)
      await tag('B')
      await until(async () => (await lines()).length === 2)
    })
    expect(await lines()).toEqual(expected('A', 'B'))
    await tag('A')
    await tag('C')
    await Bun.write(broken, '')
    const { stderr, code } = await watching(async () => {
      await until(async () => (await lines()).length === 3)
    })
    expect(await lines()).toEqual(expected('A', 'B', 'C'))
    expect([code, stderr]).toEqual([
      130,
      expect.stringContaining('the command ended with 7: it is run again'),
    ])
    const other = await run(['watch', document, '--tag', 'staging', '--state', join(folder, 'state')])
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('tag production of watched/app')])
  })

  it('stops a listing at its limit, and reports an empty one', async () => {
    for (const name of ['a', 'b', 'c']) await run(['put', '-', `limited/${name}`], { stdin: bytesOf(name) })
    expect(await json(['list', 'limited', '--limit', '2'])).toMatchObject([{ name: 'a' }, { name: 'b' }])
    expect(await run(['list', 'nothing-here'])).toEqual({ code: 0, stdout: '', stderr: 'nothing there\n' })
  })

  it('reads the token from a file', async () => {
    await writeFile(join(folder, 'token'), `${await service.token()}\n`, { mode: 0o600 })
    const env = { DOCUMENTS_TOKEN: '', DOCUMENTS_TOKEN_FILE: join(folder, 'token') }
    expect((await run(['list', '--limit', '1'], { env })).code).toBe(0)
  })

  it('is refused by the service for a tenant that its token does not cover', async () => {
    const env = { DOCUMENTS_TOKEN: await service.token({ tenants: ['globex'] }) }
    const { code, stderr } = await run(['list'], { env })
    expect(code).toBe(1)
    expect(stderr).toContain('[code document_not_found, ')
  })
})

describe('bun run documents next to a running start', () => {
  /** Writes what `start` writes, for the service of this test. */
  async function localState(port: number): Promise<string> {
    const { issuer, audience } = service.issuer
    const local = join(folder, '.local')
    const startedAt = new Date().toISOString()
    await writeLocalStart(
      port,
      { url: service.url, issuer, audience, jwk, startedAt, pid: process.pid },
      local,
    )
    return local
  }

  it('finds the service and makes itself a token', async () => {
    const local = await localState(40_001)
    const put = await docs(['put', '-', 'definitions/local.txt', '--tenant', 'acme', '--local', local], {
      stdin: bytesOf('hello'),
    })
    expect([put.code, put.stderr]).toEqual([0, ''])
    const get = await docs(['get', 'definitions/local.txt', '-o', '-', '--tenant', 'acme', '--local', local])
    expect(get).toEqual({ code: 0, stdout: 'hello', stderr: '' })
  })

  it('asks for --port if several starts run', async () => {
    const local = await localState(40_001)
    await localState(40_002)
    const { code, stderr } = await docs(['list', '--tenant', 'acme', '--local', local])
    expect([code, stderr]).toEqual([
      2,
      'error: several starts are running, choose with --port: 40001, 40002\n',
    ])
    expect((await docs(['list', '--tenant', 'acme', '--local', local, '--port', '40002'])).code).toBe(0)
  })

  it('uses the start that --url names', async () => {
    const local = await localState(40_001)
    expect((await docs(['list', '--tenant', 'acme', '--local', local, '--url', service.url])).code).toBe(0)
  })
})
