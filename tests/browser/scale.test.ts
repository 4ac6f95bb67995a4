/**
 * A list of 100,000 documents. The service and the browser are real; the store is the one in memory, since to
 * upload as many into a real one takes minutes, and the service asks each of them for the same pages.
 */
import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { ObjectStore } from '../../service/object-store/object-store.ts'
import { hangMilliseconds, startBrowser } from '../support/browser/browser.ts'
import { faultsIn, tracesOf } from '../support/browser/faults.ts'
import { serviceInProcess } from '../support/service/service-for-tests.ts'
import { createMemoryObjectStore } from '../support/stores/memory-object-store.ts'
import { eventually } from '../support/waiting.ts'

const documentCount = 100_000
/** Far fewer than the documents; a screen shows some thirty. */
const rowsMax = 200

setDefaultTimeout(hangMilliseconds)

const store = createMemoryObjectStore()
await fill(store)
const service = await serviceInProcess({ ui: true, decorate: () => store })
const browser = await startBrowser()
const page = (await browser.newWindow()).page
await page.goto(await service.signInLink())
await page.getByRole('button', { name: 'Sign out' }).waitFor()

afterAll(async () => {
  const traces = await tracesOf(browser, service, [])
  await service.stop()
  expect(faultsIn(traces)).toEqual([])
})

/** Empty documents `doc-000000` to `doc-099999` of one type. */
async function fill(store: ObjectStore): Promise<void> {
  const body = new Uint8Array()
  const digest = Bun.SHA256.hash(body, 'hex')
  const put = (index: number) =>
    store.put(`tenants/acme/documents/snapshots/${nameOf(index)}/${digest}`, body, {
      size: 0,
      contentType: 'text/plain',
      metadata: { 'created-at': new Date().toISOString(), 'created-by': 'alice' },
    })
  for (let first = 0; first < documentCount; first += 10_000) {
    await Promise.all(Array.from({ length: 10_000 }, (_, offset) => put(first + offset)))
  }
}

function nameOf(index: number): string {
  return `doc-${String(index).padStart(6, '0')}`
}

const documents = () => page.getByRole('table', { name: 'Documents' })
const count = () => page.getByRole('status').filter({ hasText: 'documents' })
const listings = () =>
  browser.recording.exchanges.filter(({ url }) => url.includes('/v1/tenants/acme/documents/names?'))

async function open(path: string): Promise<void> {
  browser.recording.exchanges.length = 0
  await page.goto(`${service.url}${path}`)
  await documents().getByRole('link').first().waitFor()
}

describe('A list of 100,000 documents', () => {
  it('shows its beginning after one page of the listing, in few rows', async () => {
    await open('/tenants/acme/snapshots')
    expect(await count().textContent()).toBe('The first 100 documents')
    await documents()
      .getByRole('link', { name: nameOf(0), exact: true })
      .waitFor()
    expect(listings().length).toBe(1)
    expect(await documents().getByRole('row').count()).toBeLessThan(rowsMax)
  })

  it('reads on as it is scrolled, a page at a time, and drops the rows that are out of sight', async () => {
    await open('/tenants/acme/snapshots')
    for (const pages of [2, 3, 4, 5]) {
      await page.mouse.wheel(0, 100 * 44)
      await count()
        .filter({ hasText: `first ${pages}00 documents` })
        .waitFor()
    }
    expect(listings().length).toBe(5)
    expect(await documents().getByRole('row').count()).toBeLessThan(rowsMax)
    expect(
      await documents()
        .getByRole('link', { name: nameOf(0), exact: true })
        .count(),
    ).toBe(0)
    const [name] = await documents().getByRole('link').allTextContents()
    expect(name?.localeCompare(nameOf(200))).toBe(1)
  })

  it('reads on by the button, in whatever order it is shown', async () => {
    await open('/tenants/acme/snapshots?sort=-name')
    await documents()
      .getByRole('link', { name: nameOf(99), exact: true })
      .waitFor()
    await page.getByRole('button', { name: 'Load more' }).click()
    await count().filter({ hasText: 'first 200 documents' }).waitFor()
    await page.keyboard.press('Home')
    await documents()
      .getByRole('link', { name: nameOf(199), exact: true })
      .waitFor()
    expect(listings().length).toBe(2)
  })

  it('reads all of it on demand, and can be stopped', async () => {
    await open('/tenants/acme/snapshots?sort=-name')
    await page.getByRole('button', { name: 'Load all' }).click()
    await page.getByText(/Loading all, [3-9]00 so far/).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('button', { name: 'Load all' }).waitFor()
    const pages = listings().length
    await page.evaluate(() => new Promise((done) => setTimeout(done, 500)))
    expect(listings().length - pages).toBeLessThanOrEqual(1)
    expect(await documents().getByRole('row').count()).toBeLessThan(rowsMax)
  })

  it('finds the last one by its beginning, with one call', async () => {
    await open('/tenants/acme/snapshots')
    await page.getByRole('searchbox', { name: 'Name begins with' }).fill('doc-09999')
    await eventually(
      () => documents().getByRole('link').allTextContents(),
      Array.from({ length: 10 }, (_, index) => nameOf(documentCount - 10 + index)),
    )
    const found = listings().filter(
      ({ url }) => url.includes('namePrefix=doc-09999&') || url.endsWith('doc-09999'),
    )
    expect(found.length).toBe(1)
  })

  it('finds documents by a part of their names, in all of them, and can be stopped', async () => {
    await page.goto(`${service.url}/tenants/acme/snapshots?contains=c-0 9999`)
    const found = page.getByRole('list', { name: 'Documents found' })
    await page.getByText(/of the first [1-9]\d*,000 names contain “c-0 9999”/).waitFor()
    await page.getByRole('button', { name: 'Stop searching' }).click()
    await page.getByText('Searching…').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Search on' }).click()
    const expected = Array.from({ length: documentCount }, (_, index) => nameOf(index)).filter((name) =>
      name.includes('9999'),
    )
    await page.getByText(`${expected.length} of all 100,000 names contain “c-0 9999”`).waitFor()
    expect(await found.getByRole('link').allTextContents()).toEqual(expected)
  })

  it('tells readers of the screen how many rows there are, and which ones are shown', async () => {
    await open('/tenants/acme/snapshots?prefix=doc-00000')
    await count().filter({ hasText: 'All 10 documents' }).waitFor()
    expect(await documents().getAttribute('aria-rowcount')).toBe('11')
    const row = documents()
      .getByRole('row')
      .filter({ hasText: nameOf(9) })
    expect(await row.getAttribute('aria-rowindex')).toBe('11')
  })
})
