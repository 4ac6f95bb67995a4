/** Transfers that do not just go through: cancelled, refused, held up, and longer than a session. */
import { afterAll, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { filesOnDisk, upload } from '../support/browser/files.ts'
import { authenticate, openScene, type SignedInWindow, shortDigest } from '../support/browser/scene.ts'
import {
  digestOf,
  KiB,
  keyOf,
  MiB,
  randomDocument,
  storedUnder,
} from '../support/service/sample-documents.ts'
import { chosenStore, storeForTests } from '../support/stores/store.ts'
import { keysOf, type OpenStore, startOpenStore } from '../support/stores/store-contents.ts'
import { type StoreBehaviours, startStoreProxy } from '../support/stores/strict-proxy.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'snapshots'
/** From 64 MiB on the client asks for a ticket. */
const large = randomDocument(65 * MiB)

const behaviours: StoreBehaviours = { requestBytesPerSecondMax: undefined }
let disk: OpenStore | undefined
let window: SignedInWindow
let page: Page

// MinIO's list of unfinished uploads knows whole keys only, so its disk is looked at.
if (chosenStore() === 'minio') disk = await startOpenStore()
const proxy = await startStoreProxy(disk ?? (await storeForTests()), behaviours)
const scene = await openScene({
  store: proxy,
  env: { TRACE_URL_TEMPLATE: 'https://traces.example/{traceId}' },
})
const files = await filesOnDisk()
const largePath = await files.write('large.bin', large)

afterAll(async () => {
  await files.remove()
  await scene.stop()
  await proxy.stop()
  await disk?.stop()
})

beforeEach(async () => {
  for (const name of Object.keys(behaviours)) delete behaviours[name as keyof StoreBehaviours]
  pace(undefined)
  scene.provider.accessTokenSeconds = 300
  await window?.close()
  await emptied()
  scene.browser.recording.exchanges.length = 0
})

/** How fast the store takes bytes from now on; 0: none, `undefined`: as they come. */
function pace(bytesPerSecond: number | undefined): void {
  behaviours.requestBytesPerSecondMax = bytesPerSecond
}

async function openList(): Promise<void> {
  window = await scene.signedIn(scene.people.alice, `/tenants/acme/${type}`)
  page = window.page
}

const transfer = (name: string) =>
  page.getByRole('region', { name: 'Transfers' }).getByRole('group', { name, exact: true })
const isDone = (name: string) => transfer(name).filter({ hasText: 'Uploaded' }).waitFor()

/** All that an upload may leave in the store: documents, tags, staged bytes, unfinished uploads in parts. */
async function everythingStored(): Promise<string[]> {
  const { store } = scene.service
  const unfinished = (await store.listUnfinished('')).map(({ key }) => key)
  return [...(await keysOf(store, '')), ...unfinished, ...((await disk?.unfinished()) ?? [])]
}

async function emptied(): Promise<void> {
  for (const key of await keysOf(scene.service.store, '')) await scene.service.store.delete(key)
}

/** Calls to the service about the document, as far as they have got. */
const callsFor = (name: string) =>
  scene.browser.recording.exchanges.filter(
    ({ url }) => url.startsWith(scene.service.url) && url.includes(`/${name}`),
  )
const sentToStore = () =>
  scene.browser.recording.exchanges.filter(({ url }) => url.startsWith(proxy.endpoint))
const complete = (name: string) => callsFor(name).find(({ url }) => url.endsWith('/complete'))

function bearerOf(headers: Readonly<Record<string, string>> | undefined): { exp: number } {
  const payload = headers?.authorization?.split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { exp: number }
}

describe('An upload that takes long', () => {
  it('shows how far it is, and leaves nothing behind when it is cancelled', async () => {
    const path = await files.write('huge.bin', hugeFile())
    // Slow enough to see several steps of it on a busy machine.
    pace(4 * MiB)
    await openList()
    await upload(page, path)
    await transfer('huge.bin').filter({ hasText: 'Uploading' }).waitFor()
    const seen = await progressUntil('huge.bin', 5)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    await page.getByRole('button', { name: 'Cancel huge.bin' }).click()
    await transfer('huge.bin').filter({ hasText: 'Cancelled' }).waitFor()
    pace(undefined)
    await eventually(everythingStored, [])
    expect(complete('huge.bin')).toBeUndefined()
  })
})

describe('A store that lets no page in (CORS)', () => {
  it('gets the bytes through the service, and the page says so', async () => {
    behaviours.withoutCors = true
    await openList()
    await upload(page, largePath)
    await transfer('large.bin').filter({ hasText: 'through the service' }).waitFor()
    const puts = callsFor('large.bin').filter(({ method }) => method === 'PUT')
    expect(puts.map(({ status }) => status)).toEqual([201])
    expect(await stored('large.bin', large)).toEqual({ digest: digestOf(large), size: large.length })
    expect(new Set(sentToStore().map(({ failure }) => failure))).toEqual(new Set(['net::ERR_FAILED']))
  })

  it('gives the bytes through the service as well', async () => {
    const bytes = randomDocument(100 * KiB)
    const acme = await scene.api(scene.people.alice)
    const { document } = await acme.put({ type, name: 'kept-in.tgz' }, bytes)
    behaviours.withoutCors = true
    window = await scene.signedIn(scene.people.alice, `/tenants/acme/${type}/kept-in.tgz`)
    page = window.page
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: `Download ${shortDigest(document.digest)}` }).click()
    expect(Buffer.compare(await readFile(await (await saved).path()), bytes)).toBe(0)
    await transfer('kept-in.tgz').filter({ hasText: 'through the service' }).waitFor()
  })
})

describe('A token that expires while an upload runs', () => {
  it('is replaced without anybody noticing', async () => {
    scene.provider.accessTokenSeconds = 4
    await openList()
    pace(0)
    await upload(page, largePath)
    await transfer('large.bin').filter({ hasText: 'Uploading' }).waitFor()
    const first = bearerOf(callsFor('large.bin')[0]?.headers)
    await eventually(() => Date.now() / 1000 > first.exp, true)
    pace(undefined)
    await isDone('large.bin')
    expect(bearerOf(complete('large.bin')?.headers).exp).toBeGreaterThan(first.exp)
    expect(await page.getByRole('dialog').count()).toBe(0)
    expect(await stored('large.bin', large)).not.toBeNull()
  })

  it('ends with the session: the upload waits and continues after signing in again', async () => {
    const { provider, people } = scene
    provider.accessTokenSeconds = 3
    await openList()
    pace(0)
    await upload(page, largePath)
    await transfer('large.bin').filter({ hasText: 'Uploading' }).waitFor()
    provider.endSessions()
    const dialog = page.getByRole('dialog', { name: 'Session ended' })
    await dialog.waitFor()
    pace(undefined)
    await page.getByText('Waiting for sign-in').waitFor()
    expect(complete('large.bin')).toBeUndefined()
    provider.accessTokenSeconds = 300
    const opened = window.context.waitForEvent('page')
    await dialog.getByRole('button', { name: 'Sign in again' }).click()
    await authenticate(await opened, people.alice)
    await isDone('large.bin')
    expect(sentToStore().length).toBe(1)
    expect(await stored('large.bin', large)).not.toBeNull()
  })
})

function stored(name: string, bytes: Uint8Array) {
  return storedUnder(scene.service.store, keyOf(type, name, digestOf(bytes)))
}

/** Large enough to go straight to the store; no two of its pieces are the same. */
function hugeFile(): Uint8Array {
  const bytes = new Uint8Array(100_000_000)
  for (let at = 0; at < bytes.length; at += large.length) {
    bytes.set(large.subarray(0, bytes.length - at), at)
    bytes.set(new TextEncoder().encode(crypto.randomUUID()), at)
  }
  return bytes
}

/** Values of the progress bar, as they change, until there are so many. */
async function progressUntil(name: string, values: number): Promise<number[]> {
  const bar = transfer(name).getByRole('progressbar')
  const seen: number[] = []
  while (seen.length < values) {
    const value = Number(await bar.getAttribute('value'))
    if (value !== seen.at(-1)) seen.push(value)
  }
  return seen
}
