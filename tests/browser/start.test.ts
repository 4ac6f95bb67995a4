/** What a person sees who types `bun run start` and opens the link that it prints. */
import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../compose/servers/free-port.ts'
import { readLocalStarts } from '../../service/cli/local-issuer/starts.ts'
import { hangMilliseconds, startBrowser } from '../support/browser/browser.ts'
import { filesOnDisk, upload } from '../support/browser/files.ts'
import { shortDigest } from '../support/browser/scene.ts'
import { linkOf, noDocker, runStart } from '../support/commands/start-run.ts'
import { folderForTests } from '../support/folder.ts'
import { keepPrinted } from '../support/printed.ts'
import { digestOf, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { until } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const local = await folderForTests('cloudlysis-start-')
const port = await freePort()
const run = runStart(local, port, noDocker)
const browser = await startBrowser()
const files = await filesOnDisk()
const page = (await browser.newWindow()).page
const serviceLog = Bun.file(join(local, String(port), 'service.log'))
const link = /^ready (\S+)$/m.exec(await run.ready)?.[1] ?? ''
// Before, it issues no tickets, and uploads go through the service.
await until(async () => (await serviceLog.text()).includes('store.probed'), 'the probe of the store')
await page.goto(link)

afterAll(async () => {
  await browser.stop()
  await run.stop()
  keepPrinted('service', await serviceLog.bytes())
  expect(browser.recording.complaints).toEqual([])
})

describe('The link that start prints', () => {
  it('leads to the tenants, and from there to an upload that goes straight to the store and back', async () => {
    const bytes = randomDocument(65 * MiB)
    await page.getByRole('main').getByRole('link', { name: 'acme' }).click()
    await page.getByRole('textbox', { name: 'Other or new type' }).fill('snapshots')
    await page.getByRole('button', { name: 'Open' }).click()
    await upload(page, await files.write('first.bin', bytes))
    const transfer = page.getByRole('group', { name: 'first.bin' })
    await transfer.filter({ hasText: 'Uploaded' }).waitFor()
    expect(await transfer.textContent()).not.toContain('through the service')
    await page.getByRole('table', { name: 'Documents' }).getByRole('link', { name: 'first.bin' }).click()
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: `Download ${shortDigest(digestOf(bytes))}` }).click()
    expect(Buffer.compare(await readFile(await (await saved).path()), bytes)).toBe(0)
    const { store } = (await readLocalStarts(local)).get(port) ?? {}
    const toStore = browser.recording.exchanges.filter(({ url }) => url.startsWith(`${store?.S3_ENDPOINT}/`))
    expect(toStore.map(({ method, status }) => `${method} ${status}`)).toEqual(['POST 204', 'GET 200'])
  })

  it('can be had again by bun run link', async () => {
    const other = await browser.newWindow()
    await other.page.goto(await linkOf(local, port))
    await other.page.getByRole('button', { name: 'Sign out' }).waitFor()
    await other.close()
  })
})
