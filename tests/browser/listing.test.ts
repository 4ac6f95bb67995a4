import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { openScene } from '../support/browser/scene.ts'
import { flawsOf } from '../support/browser/states.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'deployment-bundles'
const names = ['alpha.json', 'alpha.tgz', 'beta.tgz', 'gamma.tgz'] as const

const scene = stoppedAfterTests(await openScene())
const { api, people, signedIn } = scene
const acme = await api(people.alice)
// Each is larger than the one before.
for (const [index, name] of names.entries())
  await acme.put({ type, name }, new Uint8Array(1000 * (index + 1)))
await acme.put({ type, name: 'alpha.json' }, new TextEncoder().encode('{"version":2}'))
await acme.put({ type: 'invoices', name: 'may.pdf' }, new Uint8Array(10))
const globex = await api(people.carl, 'globex')
await globex.put({ type, name: 'secret-plan.tgz' }, new TextEncoder().encode('of globex alone'))
const window = await signedIn(people.bob, '/')
const page = window.page

/** Goes where an operator's bookmark would; the tab stays signed in. */
async function open(path: string): Promise<void> {
  await page.goto(`${scene.service.url}${path}`)
}

const documents = () => page.getByRole('table', { name: 'Documents' })
const search = () => page.getByRole('searchbox', { name: 'Name begins with' })
const link = (name: string) => documents().getByRole('link', { name, exact: true })

/** Waits until the list shows exactly these. */
async function showing(...expected: string[]): Promise<void> {
  await eventually(() => documents().getByRole('link').allTextContents(), expected)
}

describe('The list of documents', () => {
  it('has a row for each document, with what its latest version is', async () => {
    await open(`/tenants/acme/${type}`)
    await page.getByRole('status').filter({ hasText: 'All 4 documents' }).waitFor()
    const row = documents().getByRole('row').filter({ hasText: 'alpha.json' })
    const digest = new Bun.CryptoHasher('sha256').update('{"version":2}').digest('hex')
    expect((await row.getByRole('cell').allTextContents()).slice(0, 4)).toEqual([
      ...['alpha.json', digest.slice(0, 12), 'application/octet-stream', '13 B'],
    ])
  })

  it('can be linked to as it is: search and order', async () => {
    await open(`/tenants/acme/${type}`)
    await search().fill('alpha')
    await showing('alpha.json', 'alpha.tgz')
    await page.getByText('All 2 documents whose names begin with “alpha”').waitFor()
    await documents().getByRole('columnheader', { name: 'Name' }).getByRole('button').click()
    await showing('alpha.tgz', 'alpha.json')
    await page.waitForURL(/prefix=alpha&sort=-name/)
    const address = page.url()
    await page.goto('about:blank')
    await page.goto(address)
    await showing('alpha.tgz', 'alpha.json')
    expect(await search().inputValue()).toBe('alpha')
  })

  it('finds a document by the beginning of its name, however far behind the first page', async () => {
    const many = { type: 'invoices', bytes: new Uint8Array(1) }
    for (let index = 100; index < 202; index++)
      await acme.put({ type: many.type, name: `a-${index}.pdf` }, many.bytes)
    await open('/tenants/acme/invoices?sort=-name')
    await page.getByText(/^The first 100 documents, sorted among themselves/).waitFor()
    expect(await link('may.pdf').count()).toBe(0)
    await search().fill('m')
    await showing('may.pdf')
    await page.getByText('The only document whose name begins with “m”').waitFor()
    await search().fill('')
    await page.getByRole('button', { name: 'Load all' }).click()
    await page.getByText('All 103 documents').waitFor()
    await page.keyboard.press('Home')
    await link('may.pdf').waitFor()
  })

  it('finds documents by a part of their names, and leads to them', async () => {
    await open(`/tenants/acme/${type}`)
    await page.getByRole('searchbox', { name: 'Name contains' }).fill('ETA.')
    await page.getByText('1 of all 4 names contain “ETA.”').waitFor()
    expect(await flawsOf(page, 'list-searched')).toEqual([])
    await page.getByRole('list', { name: 'Documents found' }).getByRole('link', { name: 'beta.tgz' }).click()
    await page.getByRole('heading', { name: 'beta.tgz' }).waitFor()
    await page.goBack()
    await page.getByText('1 of all 4 names contain “ETA.”').waitFor()
  })

  it('does not fail for a document that was deleted meanwhile, and lets go of it', async () => {
    const { document } = await acme.put({ type: 'snapshots', name: 'gone.bin' }, new Uint8Array(3))
    await open('/tenants/acme/snapshots')
    await link('gone.bin').waitFor()
    await acme.deleteVersion({ type: 'snapshots', name: 'gone.bin', digest: document.digest })
    await link('gone.bin').click()
    await page.getByRole('alert').filter({ hasText: 'It may have been deleted' }).waitFor()
    await page.getByRole('link', { name: 'To the list' }).click()
    await page.getByText('No documents of this type yet').waitFor()
  })

  it('keeps names readable where the window is narrow', async () => {
    await open('/tenants/acme/invoices')
    await link('a-100.pdf').waitFor()
    await page.setViewportSize({ width: 320, height: 700 })
    const column = await documents().getByRole('columnheader', { name: 'Name' }).boundingBox()
    expect(column?.width ?? 0).toBeGreaterThan(180)
    const surplus = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    expect(await surplus()).toBe(0)
    await page.setViewportSize({ width: 1280, height: 900 })
  })

  it('is not come back to by what was typed just before a document was opened', async () => {
    await open(`/tenants/acme/${type}`)
    await link('alpha.tgz').waitFor()
    await search().fill('alpha')
    await link('alpha.tgz').click()
    await page.getByRole('table', { name: 'Versions' }).waitFor()
    // What was typed is kept after a pause of 250 ms.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 400)))
    expect(new URL(page.url()).pathname).toBe(`/tenants/acme/${type}/alpha.tgz`)
  })

  it('is left and returned to by the buttons of the browser', async () => {
    await open(`/tenants/acme/${type}?prefix=alpha`)
    await link('alpha.tgz').click()
    await page.getByRole('heading', { name: 'alpha.tgz' }).waitFor()
    await page.goBack()
    await showing('alpha.json', 'alpha.tgz')
    await page.goForward()
    await page.getByRole('heading', { name: 'alpha.tgz' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'alpha.tgz' }).waitFor()
  })
})

describe('Another tenant', () => {
  const secretPlan = { type, name: 'secret-plan.tgz' }

  it('cannot be listed by editing the address', async () => {
    await open(`/tenants/globex/${type}`)
    await page.getByRole('alert').filter({ hasText: 'no access to this tenant' }).waitFor()
    expect(await page.content()).not.toContain(secretPlan.name)
  })

  it('has no document whose address could be guessed', async () => {
    await open(`/tenants/globex/${type}/${secretPlan.name}`)
    const foreign = await page.getByRole('alert').textContent()
    await open(`/tenants/nowhere/${type}/${secretPlan.name}`)
    const absent = await page.getByRole('alert').textContent()
    expect(foreign?.replaceAll('globex', 'nowhere')).toBe(absent ?? '')
  })

  it('is not among those that can be chosen', async () => {
    await open('/tenants/acme')
    const options = page.getByRole('combobox', { name: 'Tenant' }).getByRole('option')
    await eventually(() => options.allTextContents(), ['acme'])
  })
})
