import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { Locator, Page } from 'playwright-core'
import type { Digest } from '../../service/wire/names.ts'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { openScene, shortDigest } from '../support/browser/scene.ts'
import { flawsOf } from '../support/browser/states.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'deployment-bundles'

const scene = stoppedAfterTests(await openScene())
const acme = await scene.api(scene.people.alice)
const bob = await scene.api(scene.people.bob)
const page = (await scene.signedIn(scene.people.alice, '/tenants/acme')).page

async function put(name: string, version: number, of = type): Promise<Digest> {
  const bytes = new TextEncoder().encode(JSON.stringify({ name, version }))
  const { document } = await acme.put({ type: of, name }, bytes, { contentType: 'application/json' })
  return document.digest
}

/** Two versions, `production` on the older and `staging` on the newer. */
async function staged(name: string, of = type): Promise<{ older: Digest; newer: Digest }> {
  const [older, newer] = [await put(name, 1, of), await put(name, 2, of)]
  await acme.putTag({ type: of, name }, 'production', older)
  await acme.putTag({ type: of, name }, 'staging', newer)
  return { older, newer }
}

async function open(query = '', of = type, at: Page = page): Promise<void> {
  await at.goto(`${scene.service.url}/tenants/acme/${of}/_rollout${query}`)
  await table(at).waitFor()
}

const table = (at: Page = page) => at.getByRole('table', { name: 'Rollout' })
const dialog = () => page.getByRole('dialog')
const row = (name: string) => table().getByRole('row').filter({ hasText: name })
const move = (tag: string, name: string) =>
  table().getByRole('button', { name: new RegExp(`^Move ${tag} of ${name.replaceAll('.', '\\.')} to`) })
const documents = () => table().getByRole('rowheader').allTextContents()
const cells = async (name: string) =>
  (await row(name).getByRole('cell').allTextContents()).map((text) => text.split('by ')[0])
const hasFocus = (element: Locator) => element.evaluate((node) => node === document.activeElement)
const tagOf = async (name: string, tag: string, of = type) =>
  (await acme.getTag({ type: of, name }, tag)).digest

const billing = await staged('billing.json')
const orders = await staged('orders.json')
const same = await put('search.json', 1)
for (const tag of ['production', 'staging', 'v9', 'v10'])
  await acme.putTag({ type, name: 'search.json' }, tag, same)
await put('untagged.json', 1)

describe('The rollout of a type', () => {
  it('is reached from its list, and shows what is in production, in staging and the latest', async () => {
    await page.goto(`${scene.service.url}/tenants/acme/${type}`)
    await page.getByRole('link', { name: 'Rollout' }).click()
    await page.getByRole('heading', { name: `Rollout of ${type}` }).waitFor()
    await eventually(documents, ['billing.json', 'orders.json', 'search.json', 'untagged.json'])
    expect(await table().getByRole('columnheader').allTextContents()).toEqual([
      ...['Document', 'production', 'staging', 'latest', 'Comparison'],
    ])
    expect((await cells('billing.json')).slice(0, 3)).toEqual(
      [billing.older, billing.newer, billing.newer].map(shortDigest),
    )
    expect((await cells('untagged.json')).slice(0, 2)).toEqual(['not set', 'not set'])
    await page.getByText('All 4 documents; production differs from staging in 2 of them').waitFor()
    expect(await flawsOf(page, 'rollout')).toEqual([])
    await page.setViewportSize({ width: 320, height: 700 })
    expect(await surplusPixels()).toBe(0)
    await page.setViewportSize({ width: 1280, height: 900 })
  })

  it('says who moved a tag, and when, with each link, and shows it when that has the focus', async () => {
    await open()
    const link = row('billing.json').getByRole('link', { name: shortDigest(billing.older) })
    const detail = page.locator(`[id="${await link.getAttribute('aria-describedby')}"]`)
    expect(await detail.textContent()).toMatch(/^by alice, \S/)
    expect(await detail.evaluate((node) => getComputedStyle(node).opacity)).toBe('0')
    await link.focus()
    await eventually(() => detail.evaluate((node) => getComputedStyle(node).opacity), '1')
    await page.keyboard.press('Enter')
    await page.getByRole('table', { name: 'Versions' }).locator('[aria-current=true]').waitFor()
    expect(new URL(page.url()).searchParams.get('version')).toBe(billing.older)
  })

  it('can be linked to with its columns, the two that are compared, and only what differs', async () => {
    await open()
    await page.getByText('Columns: production, staging, latest').click()
    const columns = page.getByRole('group', { name: 'Choose 2 to 6 tags' })
    await eventually(
      async () => (await columns.locator('label').allTextContents()).map((text) => text.trim()),
      ['latest', 'production', 'staging', 'v9', 'v10'],
    )
    await columns.getByRole('checkbox', { name: 'v10' }).check()
    await columns.getByRole('checkbox', { name: 'staging' }).uncheck()
    await page.getByRole('combobox', { name: 'with' }).selectOption('latest')
    await page.getByRole('checkbox', { name: 'Show only documents that differ' }).check()
    await page.getByRole('searchbox', { name: 'Name begins with' }).fill('o')
    await eventually(documents, ['orders.json'])
    await page.waitForURL(/\?prefix=o&tags=production,latest,v10&differing=1$/)
    const address = page.url()
    await page.goto('about:blank')
    await page.goto(address)
    await eventually(documents, ['orders.json'])
    expect(await table().getByRole('columnheader').allTextContents()).toEqual([
      ...['Document', 'production', 'latest', 'v10', 'Comparison'],
    ])
    expect(await page.getByRole('combobox', { name: 'with' }).inputValue()).toBe('latest')
  })

  it('moves production to where staging is after a question that shows from and to, and back', async () => {
    await open()
    await move('production', 'orders.json').click()
    const facts = await dialog().textContent()
    expect(facts?.indexOf(orders.older)).toBeLessThan(facts?.indexOf(orders.newer) ?? 0)
    expect(await flawsOf(page, 'rollout-move')).toEqual([])
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await row('orders.json').getByText('same').waitFor()
    expect(await tagOf('orders.json', 'production')).toBe(orders.newer)
    await page.getByText('production differs from staging in 1 of them').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await row('orders.json').getByText('differs').waitFor()
    expect(await tagOf('orders.json', 'production')).toBe(orders.older)
  })

  it('rolls five services back with the keyboard alone', async () => {
    const five = 'definitions'
    const names = ['a.json', 'b.json', 'c.json', 'd.json', 'e.json']
    const before = new Map<string, Digest>()
    for (const name of names) {
      const { older, newer } = await staged(name, five)
      await acme.putTag({ type: five, name }, 'production', newer)
      await acme.putTag({ type: five, name }, 'stable', older)
      before.set(name, older)
    }
    await open('?tags=production,stable&differing=1', five)
    for (const name of names) {
      await move('production', name).focus()
      await page.keyboard.press('Enter')
      await dialog().waitFor()
      for (let stop = 0; !(await hasFocus(dialog().getByRole('button', { name: 'Move tag' }))); stop++) {
        expect(stop).toBeLessThan(5)
        await page.keyboard.press('Tab')
      }
      await page.keyboard.press('Enter')
      await dialog().waitFor({ state: 'detached' })
      await eventually(() => tagOf(name, 'production', five), before.get(name) as Digest)
      expect(await page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('status')
    }
    await page.getByText('No document differs in production and stable').waitFor()
  })

  it('makes a tag that a document does not have yet, and none that someone else made meanwhile', async () => {
    const name = 'fresh.json'
    const digest = await put(name, 1)
    await open('?tags=canary,latest')
    await move('canary', name).click()
    await dialog().getByText('There is no such tag yet.').waitFor()
    await bob.putTag({ type, name }, 'canary', digest)
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await dialog().getByRole('alert').waitFor()
    await dialog().getByText('is on this version already').waitFor()
    expect(await dialog().getByRole('button', { name: 'Move tag' }).isDisabled()).toBe(true)
    expect((await acme.getTag({ type, name }, 'canary')).movedBy).toBe('bob')
  })

  it('leaves a tag where someone else moved it in the meantime, and shows where that is', async () => {
    const name = 'raced.json'
    const { newer } = await staged(name)
    const third = await put(name, 3)
    await open()
    await move('production', name).click()
    await bob.putTag({ type, name }, 'production', third)
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await dialog().getByRole('alert').filter({ hasText: 'Someone else moved this tag' }).waitFor()
    await dialog().getByText(third).waitFor()
    expect(await tagOf(name, 'production')).toBe(third)
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await eventually(() => tagOf(name, 'production'), newer)
    await eventually(() => hasFocus(row(name).getByRole('link', { name, exact: true })), true)
  })

  it('says so when a document was deleted in the meantime', async () => {
    const name = 'gone.json'
    const { older, newer } = await staged(name)
    await open()
    await move('production', name).click()
    for (const tag of ['production', 'staging']) await acme.deleteTag({ type, name }, tag)
    for (const digest of [older, newer]) await acme.deleteVersion({ type, name, digest })
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await page.getByText('The document was deleted in the meantime').waitFor()
    await dialog().getByRole('button', { name: 'Close' }).click()
    await row(name).waitFor({ state: 'detached' })
  })

  it('offers no move without documents:write, and says why', async () => {
    const reader = await scene.signedIn(scene.people.rita, `/tenants/acme/${type}/_rollout`)
    await table(reader.page).waitFor()
    expect(await table(reader.page).getByRole('button').count()).toBe(0)
    await reader.page.getByText('You may not move tags').waitFor()
    await reader.close()
  })

  it('says that a type has no documents, and leads to where they are uploaded', async () => {
    await page.goto(`${scene.service.url}/tenants/acme/snapshots/_rollout`)
    await page.getByText('No documents of this type yet').waitFor()
    expect(await flawsOf(page, 'rollout-empty')).toEqual([])
    await page.getByRole('link', { name: 'the list' }).click()
    await page.getByRole('heading', { name: 'snapshots' }).waitFor()
  })

  it('compares the beginning of a long type, says so, and compares all of it on demand', async () => {
    const long = 'audit-exports'
    for (let index = 100; index < 201; index++) await put(`a-${index}.json`, 1, long)
    await staged('z.json', long)
    await page.goto(`${scene.service.url}/tenants/acme/${long}/_rollout?differing=1`)
    await page.getByText('None of the documents that were read differs in production and staging').waitFor()
    await page.getByText(/^The first 100 documents; .*Load all to compare all documents/).waitFor()
    await page.getByRole('button', { name: 'Load all' }).click()
    await eventually(documents, ['z.json'])
    await page.getByText('All 102 documents; production differs from staging in 1 of them').waitFor()
  })
})

function surplusPixels(): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
