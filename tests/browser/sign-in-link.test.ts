import { afterAll, beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { startLocalIssuer } from '../../service/cli/local-issuer/issuer.ts'
import { signInLink } from '../../service/cli/local-issuer/sign-in-code.ts'
import { type BrowserWindow, hangMilliseconds, startBrowser } from '../support/browser/browser.ts'
import { storedIn } from '../support/browser/browser-storage.ts'
import { faultsIn, tracesOf } from '../support/browser/faults.ts'
import { flawsOf } from '../support/browser/states.ts'
import { registerSecret } from '../support/secrets.ts'
import { serviceInChild } from '../support/service/service-for-tests.ts'

setDefaultTimeout(hangMilliseconds)

let window: BrowserWindow

const uiOrigins: string[] = []
const issuer = await startLocalIssuer({ uiOrigins, accessTokenSeconds: 3 })
const service = await serviceInChild({
  env: {
    AUTH_ISSUER: issuer.issuer,
    AUTH_AUDIENCE: issuer.audience,
    AUTH_JWKS_URL: issuer.jwksUrl,
    AUTH_CLIENT_ID: issuer.clientId,
  },
})
uiOrigins.push(service.url)
const browser = await startBrowser()

beforeEach(async () => {
  window = await browser.newWindow()
})

afterAll(async () => {
  const traces = await tracesOf(browser, service, [String(issuer.privateJwk.d)])
  await service.stop()
  await issuer.stop()
  expect(faultsIn(traces)).toEqual([])
})

/** A code as `start` and `link` make it. */
async function newCode(): Promise<string> {
  const scope = 'documents:read documents:write documents:admin'
  const code = await issuer.signCode({ tenants: ['acme', 'globex'], scope })
  registerSecret(code)
  return code
}

const signOut = () => window.page.getByRole('button', { name: 'Sign out' })

describe('Signing in with the link that start prints', () => {
  it('takes the code out of the address bar and out of the history', async () => {
    const { page } = window
    const code = await newCode()
    await page.goto(signInLink(service.url, code))
    await signOut().waitFor()
    expect(page.url()).not.toContain('#')
    const addresses = await visited()
    expect(addresses.length).toBeGreaterThan(0)
    expect(addresses.filter((address) => address.includes(code))).toEqual([])
  })

  it('sends the code in no URL and in no referrer, and to the issuer alone', async () => {
    const code = await newCode()
    await window.page.goto(signInLink(service.url, code))
    await signOut().waitFor()
    const { exchanges, settled } = browser.recording
    await settled()
    expect(exchanges.filter(({ url }) => url.includes(code))).toEqual([])
    expect(exchanges.filter(({ headers }) => JSON.stringify(headers).includes(code))).toEqual([])
    const carriers = exchanges.filter(({ body }) => body?.includes(code))
    expect(carriers.map(({ url }) => url)).toEqual([`${issuer.issuer}/token`])
  })

  it('works once: opening it again says so and how to get another one, which works', async () => {
    const { page } = window
    const link = signInLink(service.url, await newCode())
    await page.goto(link)
    await signOut().waitFor()
    const second = await browser.newWindow()
    await second.page.goto(link)
    const alert = second.page.getByRole('alert')
    await alert.waitFor()
    expect(await alert.textContent()).toContain('It was used before')
    await second.page.getByText('bun run link').first().waitFor()
    expect(await flawsOf(second.page, 'sign-in-link-used')).toEqual([])
    await second.page
      .getByRole('textbox', { name: 'Sign-in link' })
      .fill(signInLink(service.url, await newCode()))
    await second.page.getByRole('button', { name: 'Use link' }).click()
    await second.page.getByRole('button', { name: 'Sign out' }).waitFor()
    await second.close()
  })

  it('says so when what was pasted is no such link', async () => {
    const { page } = window
    await page.goto(service.url)
    await page.getByRole('textbox', { name: 'Sign-in link' }).waitFor()
    expect(await flawsOf(page, 'sign-in-by-link')).toEqual([])
    await page.getByRole('textbox', { name: 'Sign-in link' }).fill('https://example.com/')
    await page.getByRole('button', { name: 'Use link' }).click()
    await page.getByRole('alert').waitFor()
    expect(await signOut().count()).toBe(0)
  })

  it('leaves nothing behind after signing out', async () => {
    const { page, context } = window
    await page.goto(signInLink(service.url, await newCode()))
    await signOut().click()
    await page.getByRole('textbox', { name: 'Sign-in link' }).waitFor()
    expect(JSON.stringify(await storedIn(context))).not.toMatch(/token|eyJ/)
    await page.reload()
    await page.getByRole('textbox', { name: 'Sign-in link' }).waitFor()
  })
})

describe('A session that began with a link', () => {
  it('is prolonged by itself', async () => {
    const { page } = window
    await page.goto(signInLink(service.url, await newCode()))
    await signOut().waitFor()
    const renewal = await page.waitForResponse(`${issuer.issuer}/token`)
    expect(renewal.status()).toBe(200)
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('continues with another link after it has ended, and the page stays as it was', async () => {
    const { page } = window
    const link = signInLink(service.url, await newCode())
    await page.goto(link)
    await signOut().waitFor()
    await page.goto(`${service.url}/tenants/acme/definitions`)
    await page.getByRole('searchbox', { name: 'Name begins with' }).fill('half-typed')
    // A code that comes again takes back what it was exchanged for (RFC 6749 section 4.1.2).
    const other = await browser.newWindow()
    await other.page.goto(link)
    await other.page.getByRole('alert').waitFor()
    await other.close()
    const dialog = page.getByRole('dialog', { name: 'Session ended' })
    await dialog.waitFor()
    await dialog.getByRole('textbox', { name: 'Sign-in link' }).fill(signInLink(service.url, await newCode()))
    await dialog.getByRole('button', { name: 'Use link' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(await page.getByRole('searchbox', { name: 'Name begins with' }).inputValue()).toBe('half-typed')
  })
})

/**
 * Addresses in the history of the tab, from Chromium itself. What a person typed stays in it next to them, out of reach
 * of any page; by then the code is used up.
 */
async function visited(): Promise<string[]> {
  const session = await window.context.newCDPSession(window.page)
  const { entries } = await session.send('Page.getNavigationHistory')
  return entries.map(({ url }) => url)
}
