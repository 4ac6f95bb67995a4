import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { hangMilliseconds } from '../support/browser/browser.ts'
import type { SeenExchange } from '../support/browser/browser-recording.ts'
import { storedIn } from '../support/browser/browser-storage.ts'
import { authenticate, openScene } from '../support/browser/scene.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const scene = stoppedAfterTests(await openScene())

/** What was asked of the provider's endpoint, the last one first. */
function askedOf(path: string): SeenExchange[] {
  const { exchanges } = scene.browser.recording
  return exchanges.filter(({ url }) => url.startsWith(`${scene.provider.issuer}${path}`)).reverse()
}

describe('Signing in at an OpenID provider', () => {
  it('goes by authorization code with PKCE, and comes back to the address that was asked for', async () => {
    const { people, signedIn, service, provider } = scene
    const { page, close } = await signedIn(people.alice, '/tenants/globex/definitions?prefix=a')
    expect(page.url()).toBe(`${service.url}/tenants/globex/definitions?prefix=a`)
    const [authorization] = askedOf('/auth?')
    const asked = Object.fromEntries(new URL(authorization?.url ?? '').searchParams)
    expect(asked).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      client_id: provider.clientId,
      redirect_uri: `${service.url}/sign-in/callback`,
      resource: provider.audience,
    })
    expect(asked.state?.length).toBeGreaterThan(16)
    const [exchange] = askedOf('/token').filter(({ method }) => method === 'POST')
    const sent = new URLSearchParams(exchange?.body ?? '')
    expect(sent.get('grant_type')).toBe('authorization_code')
    expect(sent.get('code_verifier')?.length).toBeGreaterThanOrEqual(43)
    expect(sent.has('client_secret')).toBe(false)
    await close()
  })

  it('keeps tokens in the tab alone', async () => {
    const { people, signedIn, service } = scene
    const { page, context, close } = await signedIn(people.alice, '/')
    const [stored] = await storedIn(context)
    expect(stored).toMatchObject({ origin: service.url, localStorage: {}, others: [], cookies: [] })
    const second = await context.newPage()
    await second.goto(service.url)
    await second.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    await close()
  })

  it('shows the tenants of the token and no others', async () => {
    const { people, signedIn } = scene
    const { page, close } = await signedIn(people.alice, '/tenants/acme')
    const options = page.getByRole('combobox', { name: 'Tenant' }).getByRole('option')
    await eventually(() => options.allTextContents(), ['acme', 'globex'])
    await close()
  })

  it('leaves nothing behind after signing out, at the provider neither', async () => {
    const { people, signedIn, service, provider } = scene
    const { page, context, close } = await signedIn(people.alice, '/tenants/acme')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Yes, sign out' }).click()
    await page.waitForURL(`${service.url}/sign-in`)
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    const [stored] = await storedIn(context)
    expect(JSON.stringify(stored)).not.toMatch(/token|eyJ/)
    await page.goBack()
    await page.goto(`${service.url}/tenants/acme`)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL(`${provider.issuer}/interaction/**`)
    await close()
  })

  it('says so when the provider refuses', async () => {
    const { browser, service } = scene
    const { page, close } = await browser.newWindow()
    await page.goto(`${service.url}/sign-in/callback?error=access_denied&state=unknown`)
    await page.getByRole('alert').waitFor()
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    await close()
  })
})

describe('A session at an OpenID provider', () => {
  it('is prolonged before its token expires, without anybody noticing', async () => {
    const { people, signedIn, provider } = scene
    provider.accessTokenSeconds = 3
    const { page, close } = await signedIn(people.alice, '/tenants/acme')
    const tokens = () => askedOf('/token').filter(({ status, method }) => method === 'POST' && status === 200)
    const before = tokens().length
    await page.waitForResponse(`${provider.issuer}/token`)
    await page.waitForResponse(`${provider.issuer}/token`)
    expect(tokens().length).toBeGreaterThan(before)
    expect(new URLSearchParams(tokens()[0]?.body ?? '').get('grant_type')).toBe('refresh_token')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.getByRole('heading', { name: 'Documents' }).waitFor()
    provider.accessTokenSeconds = 300
    await close()
  })

  it('is begun again in a window of its own after it has ended, and the page stays as it was', async () => {
    const { people, signedIn, provider } = scene
    provider.accessTokenSeconds = 3
    const { page, context, close } = await signedIn(people.alice, '/tenants/acme/definitions')
    await page.getByRole('searchbox', { name: 'Name begins with' }).fill('half-typed')
    provider.endSessions()
    const dialog = page.getByRole('dialog', { name: 'Session ended' })
    await dialog.waitFor()
    provider.accessTokenSeconds = 300
    const opened = context.waitForEvent('page')
    await dialog.getByRole('button', { name: 'Sign in again' }).click()
    const popup = await opened
    const closed = popup.waitForEvent('close')
    await authenticate(popup, people.alice)
    await closed
    await dialog.waitFor({ state: 'detached' })
    expect(await page.getByRole('searchbox', { name: 'Name begins with' }).inputValue()).toBe('half-typed')
    await close()
  })
})
