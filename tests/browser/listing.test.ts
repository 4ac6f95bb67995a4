import { afterAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { openScene } from '../support/browser/scene.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'deployment-bundles'
const names = ['alpha.json', 'alpha.tgz', 'beta.tgz', 'gamma.tgz'] as const

const scene = await openScene()
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

afterAll(() => scene.stop())

/** Goes where an operator's bookmark would; the tab stays signed in. */
async function open(path: string): Promise<void> {
  await page.goto(`${scene.service.url}${path}`)
}

const documents = () => page.getByRole('table', { name: 'Documents' })
const count = () => page.getByRole('status').filter({ hasText: 'of the first' })
const search = () => page.getByRole('searchbox', { name: 'Name begins with' })
const filter = () => page.getByRole('textbox', { name: 'Filter loaded names' })
const link = (name: string) => documents().getByRole('link', { name, exact: true })

/** Waits until the list shows exactly these. */
async function showing(...expected: string[]): Promise<void> {
  await eventually(() => documents().getByRole('link').allTextContents(), expected)
}

describe('The list of documents', () => {
  it('has one row for each name, with how many versions were read', async () => {
    await open(`/tenants/acme/${type}`)
    await showing(...names)
    const row = documents().getByRole('row', { name: /^alpha\.json/ })
    expect(await row.getByRole('cell').nth(1).textContent()).toBe('2')
    expect(await count().textContent()).toContain('4 of the first 4 documents')
  })

  it('finds names by their beginning, in the store', async () => {
    await open(`/tenants/acme/${type}`)
    const asked = page.waitForRequest((request) => request.url().includes('namePrefix=alpha'))
    await search().fill('alpha')
    await asked
    await showing('alpha.json', 'alpha.tgz')
  })

  it('says so when no name begins like that', async () => {
    await open(`/tenants/acme/${type}?prefix=zeta`)
    await page.getByText('No name begins with “zeta”').waitFor()
  })

  it('filters what was read, and says of how many', async () => {
    await open(`/tenants/acme/${type}`)
    await showing(...names)
    await filter().fill('tgz')
    await showing('alpha.tgz', 'beta.tgz', 'gamma.tgz')
    expect(await count().textContent()).toContain('3 of the first 4 documents')
  })

  it('sorts by any column, in both directions, and says which', async () => {
    await open(`/tenants/acme/${type}`)
    await showing(...names)
    const header = documents().getByRole('columnheader', { name: 'Size' })
    await header.getByRole('button').click()
    await showing('gamma.tgz', 'beta.tgz', 'alpha.tgz', 'alpha.json')
    expect(await header.getAttribute('aria-sort')).toBe('descending')
    await header.getByRole('button').click()
    await showing('alpha.json', 'alpha.tgz', 'beta.tgz', 'gamma.tgz')
    expect(await header.getAttribute('aria-sort')).toBe('ascending')
  })

  it('can be linked to as it is: search, filter and order', async () => {
    await open(`/tenants/acme/${type}`)
    await search().fill('alpha')
    await showing('alpha.json', 'alpha.tgz')
    await filter().fill('.')
    await documents().getByRole('columnheader', { name: 'Name' }).getByRole('button').click()
    await showing('alpha.tgz', 'alpha.json')
    await page.waitForURL(/prefix=alpha&filter=\.&sort=-name/)
    const address = page.url()
    await page.goto('about:blank')
    await page.goto(address)
    await showing('alpha.tgz', 'alpha.json')
    expect([await search().inputValue(), await filter().inputValue()]).toEqual(['alpha', '.'])
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

describe('The page of a tenant', () => {
  it('leads to the types that are known and to those that have documents', async () => {
    await open('/tenants/acme')
    const types = page.getByRole('navigation', { name: 'Document types' })
    await types.getByRole('link', { name: 'invoices' }).waitFor()
    await types.getByRole('link', { name: type }).click()
    await showing(...names)
  })

  it('leads to any other type', async () => {
    await open('/tenants/acme')
    await page.getByRole('textbox', { name: 'Other type' }).fill('receipts')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('heading', { name: 'receipts' }).waitFor()
    await page.getByText('No documents of this type yet').waitFor()
    expect(page.url()).toBe(`${scene.service.url}/tenants/acme/receipts`)
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

  it('is answered by the API as one that does not exist', async () => {
    const { api, people } = scene
    const foreign = await api(people.bob, 'globex')
    await expect(foreign.versionsPage(secretPlan)).rejects.toMatchObject({ status: 404 })
    await expect(foreign.getBytes(secretPlan)).rejects.toMatchObject({ status: 404 })
    await expect(foreign.listPage({ type })).rejects.toMatchObject({ status: 404 })
  })

  it('is not among those that can be chosen', async () => {
    await open('/tenants/acme')
    const options = page.getByRole('combobox', { name: 'Tenant' }).getByRole('option')
    await eventually(() => options.allTextContents(), ['acme'])
  })
})
