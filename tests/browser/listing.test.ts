import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { openScene } from '../support/browser/scene.ts'
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
const filter = () => page.getByRole('textbox', { name: 'Filter loaded names' })
const link = (name: string) => documents().getByRole('link', { name, exact: true })

/** Waits until the list shows exactly these. */
async function showing(...expected: string[]): Promise<void> {
  await eventually(() => documents().getByRole('link').allTextContents(), expected)
}

describe('The list of documents', () => {
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
