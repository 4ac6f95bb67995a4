import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { Locator, Page } from 'playwright-core'
import type { DocumentsClient } from '../../service/client/client.ts'
import type { Digest } from '../../service/wire/names.ts'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { openScene, shortDigest } from '../support/browser/scene.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'deployment-bundles'
const json = { 'content-type': 'application/json' }

const scene = stoppedAfterTests(await openScene())
const acme = await scene.api(scene.people.alice)
const admin = await scene.signedIn(scene.people.alice, '/tenants/acme')
const page = admin.page
await admin.context.grantPermissions(['clipboard-read', 'clipboard-write'])

/** A document with two versions, `production` on the newer one; the older is alice's, the newer bob's. */
async function twoVersions(name: string): Promise<{ older: Digest; newer: Digest }> {
  const bob = await scene.api(scene.people.bob)
  const put = async (as: DocumentsClient, version: number) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ name, version }))
    const { document } = await as.put({ type, name }, bytes, { contentType: json['content-type'] })
    return document.digest
  }
  const older = await put(acme, 1)
  const newer = await put(bob, 2)
  await acme.putTag({ type, name }, 'production', newer)
  return { older, newer }
}

async function open(name: string, at: Page = page): Promise<void> {
  await at.goto(`${scene.service.url}/tenants/acme/${type}/${name}`)
  await at.getByRole('table', { name: 'Versions' }).waitFor()
}

const row = (digest: string, at: Page = page) =>
  at
    .getByRole('table', { name: 'Versions' })
    .getByRole('row')
    .filter({ hasText: shortDigest(digest) })
const button = (what: string, digest: string, at: Page = page) =>
  at.getByRole('button', { name: `${what} ${shortDigest(digest)}` })

/** What `GET …?tag=production` gives, asked of the service itself. */
async function inProduction(name: string): Promise<string> {
  const url = `${scene.service.url}/v1/tenants/acme/documents/${type}/${name}?tag=production`
  const authorization = `Bearer ${await scene.provider.token(scene.people.rita)}`
  return (await fetch(url, { headers: { authorization } })).text()
}

describe('The versions of a document', () => {
  it('give their whole digest to the clipboard', async () => {
    const { older } = await twoVersions('copied.json')
    await open('copied.json')
    await button('Copy digest', older).click()
    await eventually(() => page.evaluate(() => navigator.clipboard.readText()), older)
  })
})

describe('A tag', () => {
  it('is moved back in two clicks, and GET …?tag=production gives the older version', async () => {
    const { older } = await twoVersions('rollback.json')
    expect(await inProduction('rollback.json')).toContain('"version":2')
    await open('rollback.json')
    await button('Set tag on', older).click()
    await page.getByRole('button', { name: 'Move tag' }).click()
    await row(older).filter({ hasText: 'production' }).waitFor()
    expect(await inProduction('rollback.json')).toContain('"version":1')
  })

  it('stays where someone else moved it in the meantime, and both people see it', async () => {
    const name = 'raced.json'
    const { older, newer } = await twoVersions(name)
    const { document } = await acme.put({ type, name }, new TextEncoder().encode('{"version":3}'))
    await open(name)
    await button('Set tag on', older).click()
    await page.getByText('moved there by alice').waitFor()
    const other = await scene.signedIn(scene.people.bob, `/tenants/acme/${type}/${name}`)
    await button('Set tag on', document.digest, other.page).click()
    await other.page.getByRole('button', { name: 'Move tag' }).click()
    await row(document.digest, other.page).filter({ hasText: 'production' }).waitFor()
    await other.close()
    await page.getByRole('button', { name: 'Move tag' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('alert').waitFor()
    expect(await dialog.getByRole('alert').textContent()).toMatch(/changed|moved|else/i)
    expect((await acme.getTag({ type, name }, 'production')).digest).toBe(document.digest)
    await dialog.getByText('moved there by bob').waitFor()
    await dialog.getByRole('button', { name: 'Move tag' }).click()
    await row(older).filter({ hasText: 'production' }).waitFor()
    expect(newer).not.toBe(document.digest)
  })
})

describe('A preview', () => {
  it('shows the source of an HTML document: no script of it runs, and none of it becomes the page', async () => {
    const html =
      '<h1>Owned</h1><img src=x onerror="document.title=1"><script>document.title = "owned"</script>'
    const name = 'evil.html'
    const { document } = await acme.put({ type, name }, new TextEncoder().encode(html), {
      contentType: 'text/html',
    })
    await open(name)
    await button('Preview', document.digest).click()
    const text = page.getByRole('region', { name: 'Text of the version' })
    await text.waitFor()
    expect(await text.textContent()).toBe(html)
    expect(await page.getByRole('heading', { name: 'Owned' }).count()).toBe(0)
    expect(await page.title()).not.toMatch(/owned|1/)
  })
})

describe('An HTML document', () => {
  it('is saved as a file and not shown when its address is opened in a tab', async () => {
    const name = 'inline.html'
    const script = '<script>parent.owned = 1</script>'
    const { document } = await acme.put({ type, name }, new TextEncoder().encode(script), {
      contentType: 'text/html',
    })
    const { url } = await acme.createDownload({ type, name, digest: document.digest })
    const authorization = `Bearer ${await scene.provider.token(scene.people.rita)}`
    const byService = `${scene.service.url}/v1/tenants/acme/documents/${type}/${name}`
    const served = await fetch(byService, { headers: { authorization } })
    expect(served.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(served.headers.get('x-content-type-options')).toBe('nosniff')
    expect(served.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox")
    const tab = await admin.context.newPage()
    const saved = tab.waitForEvent('download')
    await tab.goto(url).catch(() => {})
    expect((await saved).suggestedFilename()).toBe(name)
    expect(tab.url()).toBe('about:blank')
    await tab.close()
  })
})

describe('Deleting a version', () => {
  it('asks first, naming the document, its type and the version', async () => {
    const name = 'deleted.json'
    const { older, newer } = await twoVersions(name)
    await open(name)
    await button('Delete', older).click()
    const dialog = page.getByRole('dialog')
    for (const text of [name, type, older]) expect(await dialog.textContent()).toContain(text)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await row(older).waitFor()
    await button('Delete', older).click()
    await dialog.getByRole('button', { name: 'Delete version' }).click()
    await row(older).waitFor({ state: 'detached' })
    const left = await acme.versionsPage({ type, name })
    expect(left.rows.map(({ digest }) => digest)).toEqual([newer])
  })

  it('is not offered without documents:admin, and the service refuses it', async () => {
    const name = 'kept.json'
    const { older } = await twoVersions(name)
    const operator = await scene.signedIn(scene.people.bob, `/tenants/acme/${type}/${name}`)
    await button('Set tag on', older, operator.page).waitFor()
    expect(await operator.page.getByRole('button', { name: /^Delete/ }).count()).toBe(0)
    await operator.close()
    const bob = await scene.api(scene.people.bob)
    await expect(bob.deleteVersion({ type, name, digest: older })).rejects.toMatchObject({ status: 403 })
  })
})

describe('The keyboard alone', () => {
  it('moves a tag back', async () => {
    const { older } = await twoVersions('by-keyboard.json')
    await open('by-keyboard.json')
    await tabTo(button('Set tag on', older))
    await page.keyboard.press('Enter')
    await page.getByText('moved there by alice').waitFor()
    await page.keyboard.press('Enter')
    await row(older).filter({ hasText: 'production' }).waitFor()
    expect(await inProduction('by-keyboard.json')).toContain('"version":1')
  })

  it('leaves a dialog by Escape, and is where it was before', async () => {
    const { older } = await twoVersions('escaped.json')
    await open('escaped.json')
    await tabTo(button('Delete', older))
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await hasFocus(button('Delete', older))).toBe(true)
  })
})

const hasFocus = (element: Locator) => element.evaluate((node) => node === document.activeElement)

/** Moves the focus as a person without a mouse does. */
async function tabTo(element: Locator): Promise<void> {
  const stopsMax = 60
  for (let stop = 0; stop < stopsMax; stop++) {
    await page.keyboard.press('Tab')
    if (await hasFocus(element)) return
  }
  throw new Error(`not within ${stopsMax} stops of the Tab key`)
}
