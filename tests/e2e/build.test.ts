import { afterAll, describe, expect, it } from 'bun:test'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { mustRun } from '../../compose/run-command.ts'
import { bundleUi } from '../../service/ui/bundle.ts'
import { folderForTests } from '../support/folder.ts'
import { callerOf, put } from '../support/service/caller.ts'
import { serviceInChild } from '../support/service/service-for-tests.ts'

const root = resolve(import.meta.dir, '../..')

const folder = await folderForTests('cloudlysis-build-')
const outfile = join(folder, 'documents')
await mustRun([process.execPath, 'service/cli/build/build.ts', '--outfile', outfile], { cwd: root })
const service = await serviceInChild({ argv: [outfile], cwd: folder })

afterAll(() => service?.stop())

describe('the executable that bun run build makes', () => {
  it('needs no other file', async () => {
    const files = await readdir(folder)
    expect(files.filter((name) => !name.endsWith('.map'))).toEqual(['documents'])
    expect(service.process.pid).toBeGreaterThan(0)
  })

  it('serves the Control UI, byte for byte as it is built from its sources', async () => {
    const { index, assets } = await bundleUi()
    const page = await fetch(service.url)
    expect(page.status).toBe(200)
    expect(await page.text()).toBe(index)
    expect(assets.length).toBeGreaterThan(2)
    for (const { path, bytes, contentType } of assets) {
      const response = await fetch(`${service.url}${path}`)
      expect(`${path} ${response.headers.get('content-type')}`).toBe(`${path} ${contentType}`)
      expect(Buffer.compare(await response.bytes(), bytes)).toBe(0)
    }
  })

  it('serves it with the issuer and the store that it is configured with', async () => {
    const settings = (await (await fetch(`${service.url}/ui-settings.json`)).json()) as object
    expect(settings).toMatchObject({ issuer: service.issuer.issuer, clientId: service.issuer.clientId })
    const policy = (await fetch(service.url)).headers.get('content-security-policy')
    expect(policy).toContain(`connect-src 'self' ${service.connection.endpoint} ${service.issuer.issuer};`)
  })

  it('stores documents and returns them', async () => {
    const call = await callerOf(service)
    await put(call, 'definitions/a', 'A')
    expect(await (await call('definitions/a')).text()).toBe('A')
  })
})
