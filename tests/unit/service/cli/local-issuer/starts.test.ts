import { beforeEach, describe, expect, it } from 'bun:test'
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type LocalStart,
  readLocalStarts,
  removeLocalStart,
  writeLocalStart,
} from '../../../../../service/cli/local-issuer/starts.ts'
import { folderForTests } from '../../../../support/folder.ts'

let parent: string
let folder: string

beforeEach(async () => {
  parent = await folderForTests('local-state-')
  folder = join(parent, '.local')
})

function startOn(port: number, pid = process.pid): LocalStart {
  return {
    url: `http://127.0.0.1:${port}`,
    issuer: 'http://127.0.0.1:4000',
    audience: 'cloudlysis-documents',
    jwk: { kty: 'EC', kid: 'k1' },
    startedAt: '2026-11-23T10:00:00Z',
    pid,
  }
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}

describe('writeLocalStart', () => {
  it('writes a start that is read back by port', async () => {
    await writeLocalStart(8081, startOn(8081), folder)
    await writeLocalStart(80, startOn(80), folder)
    expect([...(await readLocalStarts(folder))]).toEqual([
      [80, startOn(80)],
      [8081, startOn(8081)],
    ])
  })

  it('leaves only a file and a folder that no one but the owner can open', async () => {
    await writeLocalStart(8080, startOn(8080), folder)
    expect(await modeOf(folder)).toBe('700')
    expect(await modeOf(join(folder, 'start-8080.json'))).toBe('600')
    expect(await readdir(folder)).toEqual(['start-8080.json'])
  })

  it('restricts an open folder, and replaces a readable file', async () => {
    await mkdir(folder)
    await chmod(folder, 0o755)
    await writeFile(join(folder, 'start-8080.json'), '{}', { mode: 0o644 })
    await writeLocalStart(8080, startOn(8080), folder)
    expect(await modeOf(folder)).toBe('700')
    expect(await modeOf(join(folder, 'start-8080.json'))).toBe('600')
  })
})

describe('removeLocalStart', () => {
  it('removes one start, and succeeds if there is none', async () => {
    await writeLocalStart(8080, startOn(8080), folder)
    await writeLocalStart(8081, startOn(8081), folder)
    await removeLocalStart(8080, folder)
    await removeLocalStart(8080, folder)
    expect([...(await readLocalStarts(folder)).keys()]).toEqual([8081])
  })
})

describe('readLocalStarts', () => {
  it('returns nothing if no start was written', async () => {
    expect((await readLocalStarts(folder)).size).toBe(0)
  })

  it('leaves out a start whose process is gone', async () => {
    const gone = Bun.spawn([process.execPath, '-e', ''])
    await gone.exited
    await writeLocalStart(8080, startOn(8080, gone.pid), folder)
    expect((await readLocalStarts(folder)).size).toBe(0)
  })

  it('leaves out files in another form', async () => {
    await writeLocalStart(8080, startOn(8080), folder)
    await writeFile(join(folder, 'start-8081.json'), '{"url":"http://127.0.0.1:8081"}')
    await writeFile(join(folder, 'start-8082.json'), 'not json')
    await writeFile(join(folder, 'start-8083.json.tmp'), JSON.stringify(startOn(8083)))
    expect([...(await readLocalStarts(folder)).keys()]).toEqual([8080])
  })
})
