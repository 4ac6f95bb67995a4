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
/** More than one page of versions. */
const versionCount = 52

const scene = stoppedAfterTests(await openScene())
const acme = await scene.api(scene.people.alice)
const page = (await scene.signedIn(scene.people.alice, '/tenants/acme')).page

async function put(name: string, version: number): Promise<Digest> {
  const bytes = new TextEncoder().encode(JSON.stringify({ name, version }))
  const { document } = await acme.put({ type, name }, bytes, { contentType: 'application/json' })
  return document.digest
}

async function open(name: string, query = '', at: Page = page): Promise<void> {
  await at.goto(`${scene.service.url}/tenants/acme/${type}/${name}${query}`)
  await tags(at).waitFor()
}

const tags = (at: Page = page) => at.getByRole('table', { name: 'Tags' })
const versions = () => page.getByRole('table', { name: 'Versions' })
const dialog = () => page.getByRole('dialog')
const hasFocus = (element: Locator) => element.evaluate((node) => node === document.activeElement)
const tagOf = async (name: string, tag: string) => (await acme.getTag({ type, name }, tag)).digest

/** Waits until the table of tags has exactly these, each with the version to which it points. */
async function showing(...expected: (readonly [string, string])[]): Promise<void> {
  const cells = async () =>
    Promise.all(
      (await tags().getByRole('row').all())
        .slice(1)
        .map(async (row) => (await row.getByRole('cell').allTextContents()).slice(0, 2)),
    )
  await eventually(
    cells,
    expected.map(([tag, digest]) => [tag, shortDigest(digest)]),
  )
}

describe('A tag of a version that is not among the newest', () => {
  const name = 'busy.json'

  it('is shown above the versions, leads to its version, and is known to the dialog that sets tags', async () => {
    const digests: string[] = []
    for (let version = 1; version <= versionCount; version++) digests.push(await put(name, version))
    const [oldest = ''] = digests
    const newest = digests.at(-1) ?? ''
    await acme.putTag({ type, name }, 'production', oldest)
    await open(name)
    await showing(['latest', newest], ['production', oldest])
    expect(await versions().getByText(shortDigest(oldest)).count()).toBe(0)
    await tags()
      .getByRole('link', { name: shortDigest(oldest) })
      .click()
    const linked = page.getByRole('table', { name: 'Version of this address' })
    await linked.getByRole('row').filter({ hasText: 'production' }).waitFor()
    expect(await linked.locator('[aria-current=true]').count()).toBe(1)
    expect(await flawsOf(page, 'version-of-address')).toEqual([])
    await versions()
      .getByRole('button', { name: `Set tag on ${shortDigest(newest)}` })
      .click()
    await dialog()
      .getByText(`on ${shortDigest(oldest)}`, { exact: true })
      .waitFor()
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await showing(['latest', newest], ['production', newest])
  })

  it('is moved to a version that was linked to, and the versions are not read again for it', async () => {
    const oldest = (await Array.fromAsync(acme.versions({ type, name }))).at(-1)?.digest ?? ''
    await open(name, `?version=${oldest}`)
    const reads = () => scene.browser.recording.exchanges.filter(({ url }) => /\/versions\?/.test(url)).length
    await page
      .getByRole('table', { name: 'Version of this address' })
      .getByRole('button', { name: /^Set tag/ })
      .click()
    const before = reads()
    await dialog().getByText('moved there by alice').waitFor()
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await page.getByRole('button', { name: 'Undo' }).waitFor()
    await eventually(() => tagOf(name, 'production'), oldest)
    await tags().getByRole('row').filter({ hasText: 'production' }).getByText(shortDigest(oldest)).waitFor()
    expect(reads()).toBe(before)
  })

  it('is deleted like any other version, and its address says so', async () => {
    const untagged = (await Array.fromAsync(acme.versions({ type, name }))).at(-2)?.digest ?? ''
    await open(name, `?version=${untagged}`)
    await page.getByRole('button', { name: `Delete ${shortDigest(untagged)}` }).click()
    await dialog().getByRole('button', { name: 'Delete version' }).click()
    await page.getByText('The version of this address does not exist').waitFor()
    expect(await hasFocus(page.getByRole('heading', { name: 'Versions' }))).toBe(true)
  })

  it('says when the version of the address does not exist', async () => {
    await open(name, `?version=sha256:${'0'.repeat(64)}`)
    await page.getByText('The version of this address does not exist').waitFor()
  })
})

describe('The tags of a document', () => {
  it('are moved and removed with the keyboard alone, after a question', async () => {
    const name = 'keys.json'
    const [older, newer] = [await put(name, 1), await put(name, 2)]
    await acme.putTag({ type, name }, 'production', newer)
    await open(name)
    await page.getByRole('button', { name: 'Move production', exact: true }).focus()
    await page.keyboard.press('Enter')
    await dialog().getByRole('combobox', { name: 'To version' }).focus()
    await page.keyboard.type(shortDigest(older))
    await dialog().getByRole('button', { name: 'Move tag' }).focus()
    await page.keyboard.press('Enter')
    await showing(['latest', newer], ['production', older])
    await page.getByRole('button', { name: 'Remove production' }).focus()
    await page.keyboard.press('Enter')
    expect(await dialog().textContent()).toContain(older)
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    expect(await hasFocus(page.getByRole('button', { name: 'Remove production' }))).toBe(true)
    await page.keyboard.press('Enter')
    await dialog().getByRole('button', { name: 'Remove tag' }).focus()
    await page.keyboard.press('Enter')
    await showing(['latest', newer])
    expect(await hasFocus(page.getByRole('heading', { name: 'Tags' }))).toBe(true)
    await expect(acme.getTag({ type, name }, 'production')).rejects.toMatchObject({ status: 404 })
  })

  it('stay where someone else moved them in the meantime, and the dialog shows where that is', async () => {
    const name = 'raced.json'
    const [first, second, third] = [await put(name, 1), await put(name, 2), await put(name, 3)]
    await acme.putTag({ type, name }, 'production', second)
    await open(name)
    await page.getByRole('button', { name: 'Move production', exact: true }).click()
    await dialog().getByRole('combobox').selectOption(first)
    const bob = await scene.api(scene.people.bob)
    await bob.putTag({ type, name }, 'production', third)
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await dialog().getByRole('alert').filter({ hasText: 'Someone else moved this tag' }).waitFor()
    await dialog().getByText('moved there by bob').waitFor()
    expect(await tagOf(name, 'production')).toBe(third)
    await dialog().getByRole('button', { name: 'Move tag' }).click()
    await showing(['latest', third], ['production', first])
  })

  it('cannot be changed without documents:write', async () => {
    const name = 'read-only.json'
    await put(name, 1)
    const reader = await scene.signedIn(scene.people.rita, `/tenants/acme/${type}/${name}`)
    await tags(reader.page).waitFor()
    expect(await reader.page.getByRole('button', { name: /^(Move|Remove|Set tag)/ }).count()).toBe(0)
    await reader.close()
  })

  it('are shown in part where there are sixty, and nothing is too wide for 320 pixels', async () => {
    const name = 'crowded.json'
    const digest = await put(name, 1)
    for (let index = 1; index <= 60; index++) await acme.putTag({ type, name }, `v1.${index}`, digest)
    await acme.putTag({ type, name }, 'production', digest)
    await open(name)
    await tags().getByRole('row').filter({ hasText: 'production' }).waitFor()
    expect(await tags().getByRole('row').count()).toBe(9)
    expect(await flawsOf(page, 'tags-in-part')).toEqual([])
    await page.getByRole('button', { name: 'Show all 62 tags' }).click()
    expect(await tags().getByRole('row').count()).toBe(63)
    await page.setViewportSize({ width: 320, height: 700 })
    expect(await surplusPixels()).toBe(0)
    await page.getByRole('button', { name: /^Set tag on/ }).click()
    await dialog().getByText('is on this version already').waitFor()
    const move = dialog().getByRole('button', { name: 'Move tag' })
    const { y = Number.NaN, height = 0 } = (await move.boundingBox()) ?? {}
    expect(y + height).toBeLessThanOrEqual(700)
    await page.setViewportSize({ width: 1280, height: 900 })
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Move production', exact: true }).click()
    expect(await flawsOf(page, 'move-tag')).toEqual([])
    await dialog().getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Remove production' }).click()
    expect(await flawsOf(page, 'remove-tag')).toEqual([])
  })

  it('are where a refused deletion of a version leads to', async () => {
    const name = 'held.json'
    const digest = await put(name, 1)
    await acme.putTag({ type, name }, 'production', digest)
    await open(name)
    await page.getByRole('button', { name: /^Delete/ }).click()
    await dialog().getByRole('button', { name: 'Delete version' }).click()
    await dialog().getByRole('button', { name: 'Show the tags' }).click()
    await dialog().waitFor({ state: 'detached' })
    await eventually(() => hasFocus(page.getByRole('heading', { name: 'Tags' })), true)
  })
})

describe('Deleting the last version of a document', () => {
  it('ends with a note that has the focus and leads to the list, without an error', async () => {
    const name = 'last.json'
    await put(name, 1)
    await open(name)
    await page.getByRole('button', { name: /^Delete/ }).click()
    await dialog().getByRole('button', { name: 'Delete version' }).click()
    const note = page.getByText('The last version was deleted')
    await note.waitFor()
    expect(await hasFocus(note)).toBe(true)
    expect(await page.getByRole('alert').count()).toBe(0)
    expect(await flawsOf(page, 'last-version-deleted')).toEqual([])
    await page.getByRole('link', { name: 'To the list' }).click()
    await page.getByRole('heading', { name: type }).waitFor()
  })
})

function surplusPixels(): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}
