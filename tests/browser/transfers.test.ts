import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hangMilliseconds } from '../support/browser/browser.ts'
import type { SeenExchange } from '../support/browser/browser-recording.ts'
import { drop, filesOnDisk, upload } from '../support/browser/files.ts'
import { openScene, shortDigest } from '../support/browser/scene.ts'
import { folderForTests } from '../support/folder.ts'
import {
  digestOf,
  KiB,
  keyOf,
  MiB,
  randomDocument,
  storedUnder,
} from '../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'deployment-bundles'
/** From 64 MiB on the client asks for a ticket. */
const large = randomDocument(65 * MiB)

const scene = stoppedAfterTests(await openScene())
const files = await filesOnDisk()
const page = (await scene.signedIn(scene.people.alice, `/tenants/acme/${type}`)).page

async function openList(): Promise<void> {
  await page.goto(`${scene.service.url}/tenants/acme/${type}`)
  await page.getByRole('heading', { name: type }).waitFor()
}

const transfer = (name: string) =>
  page.getByRole('region', { name: 'Transfers' }).getByRole('group', { name, exact: true })
const isDone = (name: string) => transfer(name).filter({ hasText: 'Uploaded' }).waitFor()
const row = (name: string) =>
  page.getByRole('table', { name: 'Documents' }).getByRole('link', { name, exact: true })

/** Exchanges since the mark that went to that origin. */
function since(mark: number, origin: string): SeenExchange[] {
  return scene.browser.recording.exchanges.slice(mark).filter(({ url }) => url.startsWith(origin))
}

const mark = () => scene.browser.recording.exchanges.length

/** What the store itself has for the version. */
function stored(name: string, bytes: Uint8Array) {
  return storedUnder(scene.service.store, keyOf(type, name, digestOf(bytes)))
}

/** Saves the version as an operator does, from the document's page. */
async function download(name: string, bytes: Uint8Array): Promise<Buffer> {
  await page.goto(`${scene.service.url}/tenants/acme/${type}/${name}`)
  const begun = page.waitForEvent('download')
  await page.getByRole('button', { name: `Download ${shortDigest(digestOf(bytes))}` }).click()
  const saved = await begun
  expect(saved.suggestedFilename()).toBe(name)
  return readFile(await saved.path())
}

describe('Uploading', () => {
  it('begins with the button, shows the file in the list at once, and the store has its bytes', async () => {
    const bytes = randomDocument(200 * KiB)
    await openList()
    await upload(page, await files.write('by-button.tgz', bytes))
    await isDone('by-button.tgz')
    await row('by-button.tgz').waitFor()
    expect(await stored('by-button.tgz', bytes)).toEqual({ digest: digestOf(bytes), size: bytes.length })
  })

  it('refuses a folder with files that would become versions of one document', async () => {
    const folder = await folderForTests('regions-')
    for (const region of ['eu', 'us']) await Bun.write(join(folder, region, 'config.yaml'), region)
    await openList()
    await drop(page, folder)
    await page
      .getByRole('alert')
      .filter({ hasText: 'Nothing was added: 2 files are called config.yaml' })
      .waitFor()
    expect(await transfer('config.yaml').count()).toBe(0)
  })

  it('takes several files at once by drag and drop', async () => {
    const names = ['one.tgz', 'two.tgz', 'three.tgz', 'four.tgz'] as const
    const contents = names.map(() => randomDocument(300 * KiB))
    const paths = await Promise.all(names.map((name, index) => files.write(name, contents[index] ?? large)))
    await openList()
    await drop(page, ...paths)
    for (const [index, name] of names.entries()) {
      await isDone(name)
      await row(name).waitFor()
      expect(await stored(name, contents[index] ?? large)).not.toBeNull()
    }
  })

  it('is one trace: every call of it carries the same trace id', async () => {
    const from = mark()
    await openList()
    await upload(page, await files.write('traced.bin', large))
    await isDone('traced.bin')
    await scene.browser.recording.settled()
    const calls = since(from, scene.service.url).filter(({ url }) => url.includes('/traced.bin'))
    expect(calls.length).toBeGreaterThanOrEqual(2)
    const traces = calls.map(({ headers }) => headers.traceparent?.split('-')[1])
    expect(new Set(traces).size).toBe(1)
    expect(traces[0]).toMatch(/^[0-9a-f]{32}$/)
  })
})

describe('Large files', () => {
  it('go straight to the store, which gets no token', async () => {
    const bytes = randomDocument(65 * MiB)
    const from = mark()
    await openList()
    await upload(page, await files.write('straight.bin', bytes))
    await isDone('straight.bin')
    await scene.browser.recording.settled()
    const toStore = since(from, scene.service.connection.endpoint)
    expect(toStore.map(({ method }) => method)).toEqual(['POST'])
    expect(toStore[0]?.headers.authorization).toBeUndefined()
    const puts = since(from, scene.service.url).filter(({ method }) => method === 'PUT')
    expect(puts).toEqual([])
    expect(await transfer('straight.bin').textContent()).not.toContain('through the service')
    expect(await stored('straight.bin', bytes)).toEqual({ digest: digestOf(bytes), size: bytes.length })
  })

  it('come straight from the store, and are the same to the byte', async () => {
    const acme = await scene.api(scene.people.alice)
    await acme.put({ type, name: 'back.bin' }, large)
    const from = mark()
    const saved = await download('back.bin', large)
    expect(digestOf(saved)).toBe(digestOf(large))
    expect(Buffer.compare(saved, large)).toBe(0)
    expect(since(from, scene.service.connection.endpoint).length).toBeGreaterThan(0)
    await transfer('back.bin').filter({ hasText: 'Verified and saved' }).waitFor()
  })
})
