import { beforeEach, describe, expect, it } from 'bun:test'
import { chmod, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesOf, serve, testToken, versionAnswer } from '../support/client/client-service.ts'
import { docs, docsScript } from '../support/commands/cli-run.ts'
import { folderForTests } from '../support/folder.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const bytes = bytesOf('{"orders":[1,2,3]}')
let folder: string

beforeEach(async () => {
  folder = await folderForTests('cli-files-')
})

function environmentOf(url: string) {
  return { DOCUMENTS_URL: url, DOCUMENTS_TOKEN: testToken, DOCUMENTS_TENANT: 'acme' }
}

/** Serves the document, and keeps the bytes that are uploaded. */
function serveAndKeep() {
  const uploaded: Uint8Array[] = []
  const server = serve(async (request) => {
    if (request.method !== 'PUT') return versionAnswer(bytes)
    const body = new Uint8Array(await request.arrayBuffer())
    uploaded.push(body)
    const version = { tenant: 'acme', type: 'definitions', name: 'up', digest: digestOf(body) }
    const document = { ...version, size: body.length, contentType: 'text/plain', tags: ['latest'] }
    return Response.json(
      { ...document, createdAt: '2026-11-29T00:00:00Z', createdBy: 'alice' },
      { status: 201 },
    )
  })
  return { server, uploaded, env: environmentOf(server.url) }
}

describe('bun run documents put', () => {
  it('reads a file below /proc to its end, though stat reports no size', async () => {
    const { server, uploaded, env } = serveAndKeep()
    using _ = server
    const { code } = await docs(['put', '/proc/version', 'definitions/up', '--via', 'service'], { env })
    expect(code).toBe(0)
    expect(Buffer.from(uploaded[0] ?? []).toString()).toBe(await readFile('/proc/version', 'utf8'))
  })

  it('reads a file below /sys to its end, though stat reports a whole page', async () => {
    const { server, uploaded, env } = serveAndKeep()
    using _ = server
    const file = '/sys/kernel/mm/transparent_hugepage/enabled'
    const { code } = await docs(['put', file, 'definitions/up', '--via', 'service'], { env })
    expect(code).toBe(0)
    expect(Buffer.from(uploaded[0] ?? []).toString()).toBe(await readFile(file, 'utf8'))
  })

  it('reads a pipe and /dev/stdin to their ends', async () => {
    const { server, uploaded, env } = serveAndKeep()
    using _ = server
    const put = `"${process.execPath}" "${docsScript}" put`
    const rest = 'definitions/up --via service'
    for (const script of [`printf piped | ${put} /dev/stdin ${rest}`, `${put} <(printf piped) ${rest}`]) {
      const child = Bun.spawn(['bash', '-c', script], {
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
        stdout: 'ignore',
        stderr: 'inherit',
      })
      expect(await child.exited).toBe(0)
    }
    expect(uploaded.map((body) => Buffer.from(body).toString())).toEqual(['piped', 'piped'])
  })
})

describe('bun run documents get', () => {
  const get = (env: Record<string, string>, ...args: string[]) =>
    docs(['get', 'definitions/orders.json', ...args], { env, cwd: folder })

  it('writes to a device as it is, without --force, and leaves it a device', async () => {
    const { server, env } = serveAndKeep()
    using _ = server
    expect((await get(env, '-o', '/dev/null')).code).toBe(0)
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  it('writes to a named pipe, and leaves it a pipe', async () => {
    const { server, env } = serveAndKeep()
    using _ = server
    const pipe = join(folder, 'pipe')
    expect(await Bun.spawn(['mkfifo', pipe]).exited).toBe(0)
    const reader = Bun.spawn(['cat', pipe], { stdout: 'pipe' })
    expect((await get(env, '-o', pipe)).code).toBe(0)
    expect(await new Response(reader.stdout).text()).toBe('{"orders":[1,2,3]}')
    expect((await stat(pipe)).isFIFO()).toBe(true)
  })

  it('follows a link with --force, and keeps the mode of the file that it replaces', async () => {
    const { server, env } = serveAndKeep()
    using _ = server
    await writeFile(join(folder, 'real.json'), 'mine')
    await chmod(join(folder, 'real.json'), 0o640)
    await symlink('real.json', join(folder, 'link.json'))
    expect((await get(env, '-o', 'link.json')).code).toBe(1)
    expect((await get(env, '-o', 'link.json', '--force')).code).toBe(0)
    expect(await readlink(join(folder, 'link.json'))).toBe('real.json')
    expect(await readFile(join(folder, 'real.json'), 'utf8')).toBe('{"orders":[1,2,3]}')
    expect((await stat(join(folder, 'real.json'))).mode & 0o777).toBe(0o640)
  })

  it('saves under a name that is as long as names can be', async () => {
    const { server, env } = serveAndKeep()
    using _ = server
    const name = 'n'.repeat(255)
    expect((await get(env, '-o', name)).code).toBe(0)
    expect(await readdir(folder)).toEqual([name])
  })

  it('says in one sentence that the disk is full, in a file and on standard output', async () => {
    const { server, env } = serveAndKeep()
    using _ = server
    const { code, stderr } = await get(env, '-o', '/dev/full')
    expect([code, stderr]).toEqual([1, 'error: /dev/full cannot be written: ENOSPC\n'])
    const script = `"${process.execPath}" "${docsScript}" get definitions/orders.json -o - > /dev/full`
    const child = Bun.spawn(['bash', '-c', script], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stderr: 'pipe',
    })
    const complaint = await new Response(child.stderr).text()
    expect(await child.exited).toBe(1)
    expect(complaint).toBe('error: ENOSPC: no space left on device, write\n')
  })
})

describe('bun run documents tag', () => {
  it('takes the ETag of --if-match with and without its quotes', async () => {
    const conditions: (string | null)[] = []
    const tag = { tenant: 'acme', type: 'definitions', name: 'orders.json', digest: digestOf(bytes) }
    using server = serve((request) => {
      conditions.push(request.headers.get('if-match'))
      const moved = { ...tag, tag: 'production', movedAt: '2026-11-29T00:00:00Z', movedBy: 'alice' }
      return Response.json(moved, { headers: { etag: '"e2"' } })
    })
    const args = ['tag', 'definitions/orders.json', 'production', digestOf(bytes), '--if-match']
    for (const etag of ['e1', '"e1"']) {
      expect((await docs([...args, etag], { env: environmentOf(server.url) })).code).toBe(0)
    }
    expect(conditions).toEqual(['"e1"', '"e1"'])
  })
})
