import { beforeEach, describe, expect, it } from 'bun:test'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesOf } from '../support/client/client-service.ts'
import { docs } from '../support/commands/cli-run.ts'
import { folderForTests } from '../support/folder.ts'
import { ownChildService } from '../support/service/own-service.ts'
import { digestOf } from '../support/service/sample-documents.ts'

const { service, call } = await ownChildService()
let folder: string
/** One of its own for each test. */
let type: string
let tests = 0

beforeEach(async () => {
  folder = await folderForTests('cli-sync-')
  tests += 1
  type = `synced-${tests}`
})

async function run(args: string[], claims: Record<string, unknown> = {}) {
  const env = {
    DOCUMENTS_URL: service.url,
    DOCUMENTS_TOKEN: await service.token(claims),
    DOCUMENTS_TENANT: 'acme',
  }
  const { code, stdout, stderr } = await docs(['sync', ...args], { cwd: folder, env })
  // Several are under way at once, so their lines come in any order, and the summary last.
  const lines = stdout.split('\n').slice(0, -1)
  const summary = lines.pop()
  return { code, stderr, lines: lines.toSorted(), summary }
}

async function write(files: Record<string, string>, at = 'files'): Promise<void> {
  await mkdir(join(folder, at), { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, at, name), text)
}

async function filesIn(at: string): Promise<Record<string, string>> {
  const names = await readdir(join(folder, at))
  const read = names.toSorted().map(async (name) => [name, await readFile(join(folder, at, name), 'utf8')])
  return Object.fromEntries(await Promise.all(read))
}

const upload = (name: string, text: string) => call(`${type}/${name}`, { method: 'PUT', body: bytesOf(text) })
const textOf = async (name: string) => {
  const response = await call(`${type}/${name}`)
  return response.ok ? response.text() : response.status
}

describe('bun run documents sync --up', () => {
  it('uploads what differs or is missing, and nothing that is the same', async () => {
    await upload('same', 'A')
    await upload('shorter', 'longer than it is')
    await upload('other', 'B')
    await upload('extra', 'C')
    await write({ same: 'A', shorter: 'short', other: 'b', new: 'D' })
    expect(await run(['files', type, '--up'])).toEqual({
      ...{ code: 0, stderr: '' },
      lines: ['new (1 B)', 'other (1 B)', 'shorter (5 B)'].map((line) => `uploaded: ${type}/${line}`),
      summary: '3 uploaded, 1 the same, 1 document without a file',
    })
    const texts = await Promise.all(['same', 'shorter', 'other', 'new', 'extra'].map(textOf))
    expect(texts).toEqual(['A', 'short', 'b', 'D', 'C'])
    expect(await run(['files', type, '--up'])).toMatchObject({
      lines: [],
      summary: '4 the same, 1 document without a file',
    })
  })

  it('says with --dry-run what it would do, and does nothing', async () => {
    await upload('extra', 'C')
    await write({ new: 'D' })
    expect(await run(['files', type, '--up', '--delete', '--dry-run'])).toEqual({
      ...{ code: 0, stderr: '' },
      lines: [`to remove: ${type}/extra`, `to upload: ${type}/new (1 B)`],
      summary: '1 to upload, 1 document to remove',
    })
    expect([await textOf('new'), await textOf('extra')]).toEqual([404, 'C'])
  })

  it('removes documents with all versions by --delete, but none that a tag keeps', async () => {
    for (const text of ['A', 'B']) await upload('extra', text)
    for (const text of ['A', 'B']) await upload('tagged', text)
    const move = JSON.stringify({ digest: digestOf('A') })
    const headers = { 'content-type': 'application/json' }
    await call(`${type}/tagged/tags/production`, { method: 'PUT', body: move, headers })
    await write({ kept: 'K' })
    const synced = await run(['files', type, '--up', '--delete'])
    expect(synced).toEqual({
      code: 1,
      stderr: [
        `not removed: ${type}/tagged: it has the tags production: remove them first`,
        'error: 1 of 3 names could not be brought up to date\n',
      ].join('\n'),
      lines: [`removed: ${type}/extra`, `uploaded: ${type}/kept (1 B)`],
      summary: '1 uploaded, 1 document removed, 1 failed',
    })
    expect([await textOf('extra'), await textOf('tagged'), await textOf('kept')]).toEqual([404, 'B', 'K'])
  })

  it('puts the beginning of the name before each path, and looks at no other documents', async () => {
    await upload('unrelated', 'U')
    await write({ '.hidden': 'H', 'eu.json': 'E' })
    expect((await run(['files', `${type}/orders-`, '--up', '--delete'])).summary).toBe('2 uploaded')
    const texts = await Promise.all(['orders-eu.json', 'orders-.hidden', 'unrelated'].map(textOf))
    expect(texts).toEqual(['E', 'H', 'U'])
  })

  it('refuses all paths that are no names before it sends anything, and a folder that is not there', async () => {
    await write({ fine: 'F', '.hidden': 'H', 'with space': 'S' })
    await write({ file: 'N' }, 'files/nested')
    const refused = await run(['files', type, '--up'])
    expect(refused).toMatchObject({ code: 1, lines: [] })
    expect(refused.stderr).toBe(
      [
        'error: nothing was sent, because these paths are no names of documents:',
        ...['.hidden', 'nested/file', 'with space'].map((path) => `  files/${path}`),
        '',
      ].join('\n'),
    )
    expect(await textOf('fine')).toBe(404)
    expect((await run(['absent', type, '--up'])).stderr).toBe('error: absent cannot be read: ENOENT\n')
  })

  it('refuses to remove everything, needs a direction, and stops at a token that allows nothing', async () => {
    await upload('extra', 'C')
    await mkdir(join(folder, 'files'))
    const empty = await run(['files', type, '--up', '--delete'])
    expect([empty.code, empty.stderr]).toEqual([1, 'error: nothing would be left: the folder has no files\n'])
    expect(await textOf('extra')).toBe('C')
    expect((await run(['files', type])).code).toBe(2)
    expect((await run(['files', type, '--up', '--down'])).code).toBe(2)
    await write({ a: 'A', b: 'B' })
    const reader = await run(['files', type, '--up'], { scope: 'documents:read' })
    expect([reader.code, reader.stderr]).toEqual([1, expect.stringMatching(/^error: .*scope_missing.*\n$/)])
  })
})

describe('bun run documents sync --down', () => {
  it('makes the files like the documents, into a new folder and into one that differs', async () => {
    await upload('a', 'A')
    await upload('b', 'B')
    expect(await run(['new', type, '--down'])).toEqual({
      ...{ code: 0, stderr: '' },
      lines: ['a (1 B)', 'b (1 B)'].map((line) => `downloaded: ${type}/${line}`),
      summary: '2 downloaded',
    })
    expect(await filesIn('new')).toEqual({ a: 'A', b: 'B' })
    await write({ b: 'x', extra: 'E', 'no name': 'N' }, 'new')
    await rm(join(folder, 'new/a'))
    expect((await run(['new', type, '--down'])).summary).toBe('2 downloaded, 1 file without a document')
    expect(await filesIn('new')).toEqual({ a: 'A', b: 'B', extra: 'E', 'no name': 'N' })
    expect(await run(['new', type, '--down', '--delete'])).toMatchObject({
      code: 0,
      lines: ['removed: new/extra'],
      summary: '1 file removed, 2 the same',
    })
    expect(await filesIn('new')).toEqual({ a: 'A', b: 'B', 'no name': 'N' })
  })

  it('never leaves the folder, and refuses names that no file can have', async () => {
    for (const name of ['up', 'up..', 'up.']) await upload(name, name)
    const refused = await run(['new', `${type}/up`, '--down'])
    expect([refused.code, refused.stderr]).toEqual([
      1,
      'error: no file can have the name of these documents: up, up., up..\n',
    ])
    expect(await readdir(folder)).toEqual([])
  })
})
