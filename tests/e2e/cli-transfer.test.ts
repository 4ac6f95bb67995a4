import { beforeEach, describe, expect, it } from 'bun:test'
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  bytesOf,
  problemAnswer,
  serve,
  serveInPieces,
  serveRaw,
  testToken,
  versionAnswer,
} from '../support/client/client-service.ts'
import { s3Error, serveTickets, signature } from '../support/client/client-ticket-service.ts'
import { docs, docsScript, startDocs } from '../support/commands/cli-run.ts'
import { folderForTests } from '../support/folder.ts'
import { digestOf, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { until } from '../support/waiting.ts'

const bytes = bytesOf('{"orders":[1,2,3]}')
const digest = digestOf(bytes)
let folder: string

beforeEach(async () => {
  folder = await folderForTests('cli-transfer-')
})

function environmentOf(url: string) {
  return { DOCUMENTS_URL: url, DOCUMENTS_TOKEN: testToken, DOCUMENTS_TENANT: 'acme' }
}

function get(url: string, ...args: string[]) {
  return docs(['get', 'definitions/orders.json', ...args], { env: environmentOf(url), cwd: folder })
}

/** Announces the orders and sends other bytes of the same length. */
function corrupted() {
  return new Response('{"orders":[1,2,4]}', { headers: { etag: `"${digest}"`, 'document-size': '18' } })
}

/** Sends the first half and then nothing more. */
function stalling() {
  const half = () =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, 9))
        controller.enqueue(bytes.slice(9, 12))
      },
    })
  return new Response(half(), { headers: { etag: `"${digest}"`, 'document-size': '18' } })
}

describe('bun run documents get', () => {
  it('saves the document under its own name and says what it saved', async () => {
    using server = serve(() => versionAnswer(bytes))
    const { code, stdout, stderr } = await get(server.url)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe(`saved: orders.json is definitions/orders.json@${digest} (18 B)\n`)
    expect(await readFile(join(folder, 'orders.json'), 'utf8')).toBe('{"orders":[1,2,3]}')
    expect(await readdir(folder)).toEqual(['orders.json'])
  })

  it('writes the bytes alone to standard output for "-"', async () => {
    using server = serve(() => versionAnswer(bytes))
    expect(await get(server.url, '-o', '-')).toEqual({ code: 0, stdout: '{"orders":[1,2,3]}', stderr: '' })
    expect(await readdir(folder)).toEqual([])
  })

  it('leaves nothing behind where the bytes are not those of the digest', async () => {
    using server = serve(corrupted)
    const { code, stdout, stderr } = await get(server.url)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^error: The bytes hash to sha256:.* \[DigestMismatchError, trace [0-9a-f]{32}\]\n$/,
    )
    expect(await readdir(folder)).toEqual([])
  })

  it('fails on standard output too where the bytes are not those of the digest', async () => {
    using server = serve(corrupted)
    const { code, stdout } = await get(server.url, '-o', '-')
    expect(code).toBe(1)
    expect(stdout).not.toContain('4]}')
  })

  it('continues a document whose connection breaks again and again, to a file and to standard output', async () => {
    using server = await serveInPieces(bytes, 10)
    expect((await get(server.url)).code).toBe(0)
    expect(await readFile(join(folder, 'orders.json'), 'utf8')).toBe('{"orders":[1,2,3]}')
    expect(await get(server.url, '-o', '-')).toMatchObject({ code: 0, stdout: '{"orders":[1,2,3]}' })
  })

  it('continues for a reader of standard output that was slower than the connection lasted', async () => {
    const large = randomDocument(2 * MiB)
    using server = await serveInPieces(large, MiB)
    const child = startDocs(['get', 'definitions/orders.json', '-o', '-'], { env: environmentOf(server.url) })
    const reader = child.stdout.getReader()
    const hasher = new Bun.CryptoHasher('sha256')
    await until(() => server.ended() > 0)
    for (let next = await reader.read(); !next.done; next = await reader.read()) hasher.update(next.value)
    expect([await child.exited, `sha256:${hasher.digest('hex')}`]).toEqual([0, digestOf(large)])
    expect(server.ranges.length).toBeGreaterThan(1)
  })

  it('leaves nothing behind where the connection breaks', async () => {
    using server = await serveRaw(
      `HTTP/1.1 200 OK\r\netag: "${digest}"\r\ndocument-size: 18\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{"orders"\r\n`,
    )
    const { code, stderr } = await get(server.url)
    expect(code).toBe(3)
    expect(stderr).toContain('ConnectionError')
    expect(await readdir(folder)).toEqual([])
  })

  it('leaves nothing behind when it is interrupted', async () => {
    using server = serve(stalling)
    const child = startDocs(['get', 'definitions/orders.json'], {
      env: environmentOf(server.url),
      cwd: folder,
    })
    await until(async () => (await readdir(folder)).length > 0)
    child.kill('SIGINT')
    expect(await child.exited).toBe(130)
    expect(await new Response(child.stderr).text()).toBe('error: interrupted by SIGINT\n')
    expect(await readdir(folder)).toEqual([])
  })

  it('replaces a file only with --force', async () => {
    using server = serve(() => versionAnswer(bytes))
    await writeFile(join(folder, 'orders.json'), 'mine')
    const refused = await get(server.url)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('orders.json already exists')
    expect(await readFile(join(folder, 'orders.json'), 'utf8')).toBe('mine')
    expect((await get(server.url, '--force')).code).toBe(0)
    expect(await readFile(join(folder, 'orders.json'), 'utf8')).toBe('{"orders":[1,2,3]}')
  })

  it('keeps the file to replace if the download fails', async () => {
    using server = serve(corrupted)
    await writeFile(join(folder, 'orders.json'), 'mine')
    expect((await get(server.url, '--force')).code).toBe(1)
    expect(await readFile(join(folder, 'orders.json'), 'utf8')).toBe('mine')
    expect(await readdir(folder)).toEqual(['orders.json'])
  })

  it('does not replace a file that someone else made during the download', async () => {
    const target = join(folder, 'orders.json')
    using server = serve(async () => {
      await writeFile(target, 'theirs')
      return versionAnswer(bytes)
    })
    expect((await get(server.url)).code).toBe(1)
    expect(await readFile(target, 'utf8')).toBe('theirs')
    expect(await readdir(folder)).toEqual(['orders.json'])
  })

  it('fails if the folder of the file does not exist', async () => {
    using server = serve(() => versionAnswer(bytes))
    const { code, stderr } = await get(server.url, '-o', 'absent/orders.json')
    expect([code, stderr]).toEqual([1, 'error: absent/orders.json cannot be written: ENOENT\n'])
  })
})

describe('bun run documents put --via', () => {
  it('sends a file directly to the store with a ticket', async () => {
    using server = serveTickets()
    await writeFile(join(folder, 'orders.json'), bytes)
    const args = ['put', 'orders.json', '--type', 'definitions', '--via', 'ticket', '--json']
    const { code, stdout, stderr } = await docs(args, { env: environmentOf(server.url), cwd: folder })
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toMatchObject({ via: 'ticket', fallbackReason: null, document: { digest } })
    expect([server.stored.length, server.throughService.length]).toEqual([1, 0])
  })

  it('fails where there are no tickets, without the signed URL', async () => {
    using server = serveTickets({ store: () => s3Error(403, 'AccessDenied') })
    await writeFile(join(folder, 'orders.json'), bytes)
    const args = ['put', 'orders.json', '--type', 'definitions', '--via', 'ticket']
    const { code, stdout, stderr } = await docs(args, { env: environmentOf(server.url), cwd: folder })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`error: The object store at ${server.storeUrl} answered 403 (AccessDenied).`)
    expect(stderr).not.toContain(signature)
  })

  it('refuses to send standard input with a ticket, and ways that it does not know', async () => {
    using server = serveTickets()
    const env = environmentOf(server.url)
    const piped = await docs(['put', '-', 'definitions/orders.json', '--via', 'ticket'], {
      env,
      stdin: bytes,
    })
    expect(piped.code).toBe(2)
    expect((await docs(['put', '-', 'definitions/orders.json', '--via', 'pigeon'], { env })).code).toBe(2)
  })

  it('says why a large file went through the service', async () => {
    using server = serveTickets({ ticket: () => problemAnswer(501, { code: 'tickets_unavailable' }) })
    await writeFile(join(folder, 'large.bin'), '')
    await truncate(join(folder, 'large.bin'), 64 * 1024 * 1024)
    const args = ['put', 'large.bin', 'definitions/orders.json']
    const { code, stdout, stderr } = await docs(args, { env: environmentOf(server.url), cwd: folder })
    expect([code, stderr]).toEqual([0, 'note: went through the service (tickets_unavailable)\n'])
    expect(stdout).toStartWith('stored: definitions/orders.json@sha256:')
  })
})

describe('bun run documents url', () => {
  const url = `https://store.example.com/bucket/key?X-Amz-Signature=${signature}`
  const asked: unknown[] = []

  function serveSigning() {
    asked.length = 0
    return serve(async (request) => {
      if (request.method === 'HEAD') return versionAnswer(bytes)
      asked.push(new URL(request.url).pathname.split('/').at(-2), await request.json())
      return Response.json({ url, expiresAt: '2026-11-23T10:05:00.000Z' }, { status: 201 })
    })
  }

  it('prints the signed URL of what the tag points to, alone on standard output', async () => {
    using server = serveSigning()
    const args = ['url', 'definitions/orders.json@production', '--expires', '60']
    const printed = await docs(args, { env: environmentOf(server.url) })
    expect(printed).toEqual({ code: 0, stdout: `${url}\n`, stderr: '' })
    expect(asked).toEqual([digest, { expiresInSeconds: 60 }])
  })

  it('tells scripts when it expires', async () => {
    using server = serveSigning()
    const args = ['url', `definitions/orders.json@${digest}`, '--json']
    const { stdout } = await docs(args, { env: environmentOf(server.url) })
    expect(JSON.parse(stdout)).toEqual({ url, expiresAt: '2026-11-23T10:05:00.000Z', digest })
    expect(asked).toEqual([digest, {}])
  })

  it('refuses a lifetime that is not a number of seconds', async () => {
    using server = serveSigning()
    const args = ['url', 'definitions/orders.json', '--expires', '0']
    expect((await docs(args, { env: environmentOf(server.url) })).code).toBe(2)
    expect(asked).toEqual([])
  })

  it('says that it is a credential', async () => {
    expect((await docs(['url', '--help'])).stdout).toContain('The URL is a credential')
  })
})

describe('bun run documents list', () => {
  it('ends quietly when its reader has had enough, even of a listing without an end', async () => {
    const row = {
      tenant: 'acme',
      type: 'definitions',
      name: 'orders.json',
      digest,
      size: 18,
      storedAt: 'now',
    }
    let pages = 0
    using server = serve(() =>
      Response.json({ documents: Array(1000).fill(row), nextCursor: `after-${++pages}` }),
    )
    const child = Bun.spawn(['sh', '-c', '"$0" "$1" list --json | head -n 1', process.execPath, docsScript], {
      env: { PATH: process.env.PATH, ...environmentOf(server.url) },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual(row)
    expect(await new Response(child.stderr).text()).toBe('')
    await child.exited
  })
})

describe('the message of bun run documents about a failure', () => {
  it("has the service's sentence, its code, the trace id, and when to try again", async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    using server = serve(() =>
      problemAnswer(
        503,
        { code: 'store_unavailable', detail: 'The object store does not answer.', traceId },
        { 'retry-after': '5' },
      ),
    )
    const { code, stderr } = await get(server.url)
    expect([code, stderr]).toEqual([
      3,
      `error: The object store does not answer. Try again in 5 s. [code store_unavailable, trace ${traceId}]\n`,
    ])
  })

  it('cannot control the terminal', async () => {
    using server = serve(() => problemAnswer(500, { code: 'x', detail: 'a\u001b[2Jb' }))
    expect((await get(server.url)).stderr).toStartWith('error: a?[2Jb ')
  })

  it('never contains the token, not even one that the service repeats in its headers', async () => {
    using server = serve((request) => {
      const echoed = request.headers.get('authorization') ?? ''
      return new Response(echoed, { status: 500, headers: { 'x-echo': echoed } })
    })
    const { stdout, stderr } = await get(server.url)
    expect(stdout + stderr).not.toContain(testToken)
  })
})

describe('the progress bar of bun run documents', () => {
  it('is drawn on a terminal', async () => {
    using server = serve(() => versionAnswer(bytes))
    const shown = await onTerminal(['get', 'definitions/orders.json'], server.url)
    expect(shown).toContain('█'.repeat(30))
    expect(shown).toContain('100% 18 B/18 B')
  })

  it('shows the hashing, the sending and the verification of an upload', async () => {
    using server = serveTickets()
    await writeFile(join(folder, 'orders.json'), bytes)
    const shown = await onTerminal(
      ['put', 'orders.json', '--type', 'definitions', '--via', 'ticket'],
      server.url,
    )
    expect(shown).toMatch(/orders\.json hashing █{30} 100% 18 B\/18 B/)
    expect(shown).toMatch(/orders\.json sending █{30} 100% 18 B\/18 B/)
    expect(shown).toMatch(/orders\.json verifying █{30} 100% 18 B\/18 B/)
  })

  it('shows the hashing of an upload through the service too', async () => {
    using server = serveTickets()
    await writeFile(join(folder, 'orders.json'), bytes)
    const shown = await onTerminal(['put', 'orders.json', '--type', 'definitions'], server.url)
    expect(shown).toContain('orders.json hashing ')
    expect(shown).toContain('orders.json sending ')
    expect(shown).not.toContain('verifying')
  })

  async function onTerminal(args: string[], url: string): Promise<string> {
    const shown: string[] = []
    const decoder = new TextDecoder()
    const child = Bun.spawn([process.execPath, docsScript, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, TERM: 'xterm', ...environmentOf(url) },
      terminal: { cols: 100, rows: 24, data: (_terminal, chunk) => shown.push(decoder.decode(chunk)) },
    })
    expect(await child.exited).toBe(0)
    return shown.join('')
  }
})
