import { beforeEach, describe, expect, it } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { SignJWT } from 'jose'
import { folderForTests } from '../../../../support/folder.ts'
import { plantedSecrets } from '../../../../tools/checks/planted-secrets.ts'
import { expectationOf } from '../../../../tools/runner/expected-prints.ts'
import { createNeedleSearch } from '../../../../tools/runner/needle-search.ts'
import { findLeaks, sweepPrinted } from '../../../../tools/runner/redaction-sweep.ts'
import { runSuite } from '../../../../tools/runner/run-suite.ts'

const printedByServers = resolve(import.meta.dir, '../../../../support/printed.ts')
const secret = `${crypto.randomUUID()}/+${crypto.randomUUID()}`
let folder: string

beforeEach(async () => {
  folder = await folderForTests('cloudlysis-sweep-')
  await mkdir(join(folder, 'printed'))
})

async function leaksIn(printed: string, secrets: string[] = [secret], file = 'service.log') {
  await Bun.write(join(folder, 'printed', file), printed)
  const { leaks } = await findLeaks(join(folder, 'printed'), secrets)
  return leaks.map(({ file, line, what }) => `${basename(file)}, line ${line}: ${what}`)
}

describe('the search for registered secrets', () => {
  it('finds a planted secret and says where it stands', async () => {
    const leaks = await leaksIn(`{"level":"info"}\n{"key":"${secret}"}\n`, ['x'.repeat(20), secret])
    expect(leaks).toEqual(['service.log, line 2: secret 2'])
  })

  it('finds it percent-encoded, in base64, and a token by its signature alone', async () => {
    expect(await leaksIn(`?key=${encodeURIComponent(secret)}`)).toHaveLength(1)
    expect(await leaksIn(Buffer.from(secret).toString('base64'))).toHaveLength(1)
    const signature = crypto.randomUUID()
    expect(await leaksIn(`sig ${signature}`, [`header.payload.${signature}`])).toHaveLength(1)
  })

  it('finds all of a thousand, which begin alike and stand close together', async () => {
    const all = Array.from({ length: 1000 }, () => `eyJhbGciOiJFUzI1NiJ9${crypto.randomUUID()}`)
    expect(await leaksIn(all.join(''), all)).toHaveLength(1000)
  })

  it('finds one across the pieces in which a large file is read', async () => {
    const filler = `${'x'.repeat(99)}\n`.repeat(10_486)
    const leaks = await leaksIn(`${filler.slice(0, 1024 * 1024 - 20)}\n${secret}\n${filler}`)
    expect(leaks).toEqual(['service.log, line 10487: secret 1'])
  })

  it('finds nothing where nothing is', async () => {
    expect(await leaksIn(`{"level":"info"}\n${secret.slice(1)}\n`)).toEqual([])
  })

  it('refuses to prove nothing', async () => {
    await expect(leaksIn('', [secret])).rejects.toThrow('nothing to search')
    await expect(leaksIn('printed', [])).rejects.toThrow('nothing to search for')
    expect(() => createNeedleSearch([{ bytes: Buffer.from('short'), secret: 1 }])).toThrow('too short')
  })
})

describe('the search for what looks like a secret', () => {
  it('takes a signed address for right in the access log of Ceph alone', async () => {
    const signed = (await plantedSecrets())['a signature in an address or a form'] ?? ''
    const path = signed.slice('https://store.example'.length)
    const line = `2026-11-25T15:07:50.860+0000 7fddb3 1 beast: 0x7fd: 127.0.0.1 - - [25/Nov/2026] "GET ${path} HTTP/1.1" 200`
    expect(await leaksIn(line, [secret], 'ceph-rgw.log')).toEqual([])
    expect(await leaksIn(line, [secret], 'service-1.log')).toHaveLength(1)
    const elsewhere = await leaksIn(`fetching ${signed}`, [secret], 'ceph-rgw-1.log')
    expect(elsewhere.filter((leak) => leak.startsWith('ceph'))).toHaveLength(1)
    const form = 'a bearer token'
    expect(expectationOf({ file: 'ceph-rgw.log', form, line })).toBeUndefined()
  })

  it('takes the code in the link of start for right, and no access token in its place', async () => {
    const signed = (typ: string) =>
      new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg: 'ES256', typ, kid: 'a' })
        .sign(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const ready = async (typ: string) => `ready http://127.0.0.1:8080/#sign-in=${await signed(typ)}\n`
    expect(await leaksIn(await ready('sign-in-code+jwt'), [secret], 'start-7.log')).toEqual([])
    expect(await leaksIn(await ready('at+jwt'), [secret], 'start-7.log')).toHaveLength(1)
    const sent = (await ready('sign-in-code+jwt')).replace('ready', 'GET')
    expect(await leaksIn(sent, [secret], 'start-7.log')).toHaveLength(1)
  })
})

describe('the sweep at the end of a run', () => {
  // What they print is searched in the end of this run, too.
  const show = () => {}

  /** A suite of one file, run as the runner does. */
  async function runOf(test: string) {
    await Bun.write(join(folder, 'a.test.ts'), `import { it } from 'bun:test'\n${test}`)
    await Bun.write(join(folder, 'secrets'), `${secret}\n`)
    const env = { ...process.env, TEST_PRINTED_FOLDER: join(folder, 'printed') }
    const run = {
      suite: 'canary',
      store: 'none',
      files: ['a.test.ts'],
      needs: [],
      waits: false,
    } as const
    const signal = new AbortController().signal
    await runSuite({ ...run, files: [...run.files], needs: [] }, { env, folder, signal, root: folder, show })
    return sweepPrinted(folder, show)
  }

  it('fails on what a test prints and on what its server printed, and names neither', async () => {
    const planted = await plantedSecrets()
    await Bun.write(join(folder, 'planted.json'), JSON.stringify({ ...planted, printedByServers }))
    const { failed, remarks } = await runOf(`
      import planted from './planted.json'
      it('prints', async () => {
        const { keepPrinted } = await import(planted.printedByServers)
        console.log('sent', planted['a bearer token'])
        keepPrinted('server', 'one\\n' + planted['a signature in an address or a form'] + '\\n${secret}\\n')
      })`)
    expect(failed).toBe(1)
    // A suite prints in two streams, which come together as they arrive.
    const told = remarks.map((remark) =>
      remark.replace(/-\d+\.log/, '.log').replace(/(none\.log), line \d+/, '$1'),
    )
    expect(told.sort()).toEqual([
      'a bearer token stands in canary-none.log',
      'a signature in an address or a form stands in server.log, line 2',
      'secret 1 stands in server.log, line 3',
    ])
  })

  it('passes a run that printed none', async () => {
    const result = await runOf("it('prints', () => console.log('Bearer [redacted]'))")
    expect(result).toMatchObject({ suite: 'redaction', passed: 1, failed: 0, remarks: [] })
  })

  it('fails where no secret was registered, for then it proves nothing', async () => {
    await Bun.write(join(folder, 'printed/a.log'), 'printed')
    await Bun.write(join(folder, 'secrets'), '')
    expect(await sweepPrinted(folder, show)).toMatchObject({ failed: 1 })
  })
})
