import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../compose/servers/free-port.ts'
import { answersOk } from '../../../compose/servers/server-process.ts'
import { folderForTests } from '../../support/folder.ts'
import { callerOf } from '../../support/service/caller.ts'
import { ownService } from '../../support/service/own-service.ts'
import { environmentFor } from '../../support/service/service-for-tests.ts'
import { eventually, until } from '../../support/waiting.ts'

setDefaultTimeout(600_000)

const folder = await folderForTests('audit-sink-')
const auditLogFile = join(folder, 'audit.jsonl')
const { service, call } = await ownService({ auditLogFile })
const mainFile = join(import.meta.dir, '../../../service/main.ts')

function linesIn(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

async function statusOf(path: string): Promise<number> {
  const response = await call(path)
  await response.body?.cancel()
  return response.status
}

describe('AUDIT_LOG_FILE', () => {
  it('has every audit line, which standard output then has not, and survives a rotation', async () => {
    const names = ['one', 'two', 'three']
    for (const name of names) {
      expect((await call(`definitions/${name}`, { method: 'PUT', body: name })).status).toBe(201)
      if (name === 'two') renameSync(auditLogFile, `${auditLogFile}.1`)
    }
    const audited = [`${auditLogFile}.1`, auditLogFile].map(linesIn)
    expect(audited.map((lines) => lines.map(({ event, name }) => [event, name]))).toEqual([
      ['one', 'two'].flatMap((name) => [
        ['access.decided', name],
        ['access.answered', name],
      ]),
      [
        ['access.decided', 'three'],
        ['access.answered', 'three'],
      ],
    ])
    expect(service.logs().filter(({ kind }) => kind === 'audit')).toEqual([])
    expect(service.logs().filter(({ event }) => event === 'request.answered')).toHaveLength(3)
  })

  it('makes the service not ready while its disk is full, until a line can be written again', async () => {
    expect(await statusOf('/readyz')).toBe(200)
    rmSync(auditLogFile)
    symlinkSync('/dev/full', auditLogFile)
    expect(await statusOf('definitions/one')).toBe(500)
    expect(await statusOf('/readyz')).toBe(503)
    expect(await statusOf('/livez')).toBe(200)
    expect(service.logs().filter(({ event }) => event === 'audit.failing')).toHaveLength(1)
    rmSync(auditLogFile)
    await eventually(() => statusOf('/readyz'), 200)
    expect(await statusOf('definitions/one')).toBe(200)
    expect(linesIn(auditLogFile).map(({ event }) => event)).toEqual(['audit.resumed', 'access.decided'])
  })
})

describe('standard output whose reader has gone', () => {
  /** The service with its standard output in a pipe that a test can close. */
  async function withPipe(env: Record<string, string> = {}) {
    const port = String(await freePort())
    const url = `http://127.0.0.1:${port}`
    const child = Bun.spawn([process.execPath, mainFile], {
      env: { ...environmentFor(service), PORT: port, ...env },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    await until(() => answersOk(`${url}/readyz`))
    const anyone = await callerOf({ ...service, url })
    await child.stdout.cancel()
    return { child, url, anyone }
  }

  it('ends the service, whose audit is lost, so that a restart gives it a reader', async () => {
    const { child, url } = await withPipe()
    await fetch(`${url}/livez`).catch(() => undefined)
    expect(await child.exited).toBe(74)
    expect(await new Response(child.stderr).text()).toBe(
      'Standard output is closed, and with it the audit log.\n',
    )
  })

  it('changes nothing where the audit goes to a file', async () => {
    const path = join(folder, 'of-child.jsonl')
    const { child, url, anyone } = await withPipe({ AUDIT_LOG_FILE: path })
    for (let i = 0; i < 3; i += 1) expect((await anyone('definitions/two')).status).toBe(200)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(linesIn(path)).toHaveLength(3)
    child.kill('SIGINT')
    expect(await child.exited).toBe(0)
  })

  it('cannot hide that the file cannot be written: the service does not start', async () => {
    const child = Bun.spawn([process.execPath, mainFile], {
      env: { ...environmentFor(service), AUDIT_LOG_FILE: join(folder, 'absent', 'audit.jsonl') },
      stdout: 'pipe',
      stderr: 'pipe',
    })
    expect(await child.exited).toBe(78)
    expect(await new Response(child.stderr).text()).toBe(
      'The configuration has a problem:\n  AUDIT_LOG_FILE names a file that cannot be written (ENOENT)\n',
    )
  })
})
