import type { BrowserContext, Page } from 'playwright-core'
import { createDocumentsClient, type DocumentsClient } from '../../../service/client/client.ts'
import { type OidcProviderForTests, startOidcProvider } from '../issuers/oidc-provider.ts'
import type { Person } from '../issuers/oidc-provider-configuration.ts'
import { probed } from '../service/probed.ts'
import { type SpawnedService, serviceInChild } from '../service/service-for-tests.ts'
import { admitBrowsers } from '../stores/bucket.ts'
import type { StoreForTests } from '../stores/service-key.ts'
import { type BrowserForTests, type BrowserOptions, startBrowser, type WindowOptions } from './browser.ts'
import { faultsIn, type SceneTraces, tracesOf } from './faults.ts'

/** What a test of the UI plays in: the real service with its UI, an identity provider, a browser, and people. */
export interface Scene {
  service: SpawnedService
  provider: OidcProviderForTests
  browser: BrowserForTests
  people: People
  /** A window in which the person is signed in, at that address of the UI. */
  signedIn(person: Person, path: string, options?: WindowOptions): Promise<SignedInWindow>
  /** The API as that person, for what is there before the browser comes, and for what others do meanwhile. */
  api(person: Person, tenant?: string): Promise<DocumentsClient>
  /** Ends all of it. @throws {Error} if the browser did, saw or kept what it must not: see `faults.ts`. */
  stop(): Promise<void>
  /** Ends all of it, for a test that looks at the traces itself. */
  close(): Promise<SceneTraces>
}

export interface SignedInWindow {
  context: BrowserContext
  page: Page
  close(): Promise<void>
}

export interface People {
  /** Of `acme` and `globex`, with all scopes. */
  alice: Person
  /** Of `acme`; may read and write. */
  bob: Person
  /** Of `acme`; may read. */
  rita: Person
  /** Of `globex`, with all scopes. */
  carl: Person
}

export interface SceneOptions extends BrowserOptions {
  /** Default: the shared one of this run. */
  store?: StoreForTests
  env?: Readonly<Record<string, string>>
}

const all = 'documents:read documents:write documents:admin'

/** May have to build the store first: give `beforeAll` 600,000 ms. */
export async function openScene({ store, env, ...browserOptions }: SceneOptions = {}): Promise<Scene> {
  const provider = await startOidcProvider()
  const service = await serviceInChild({
    ...(store === undefined ? {} : { store }),
    env: {
      AUTH_ISSUER: provider.issuer,
      AUTH_AUDIENCE: provider.audience,
      AUTH_JWKS_URL: provider.jwksUrl,
      AUTH_CLIENT_ID: provider.clientId,
      ...env,
    },
  })
  provider.allowUiAt(service.url)
  await admitBrowsers(service.owner, [service.url])
  const browser = await startBrowser(browserOptions)
  await probed(service)
  return {
    service,
    provider,
    browser,
    people: {
      alice: provider.addPerson({ name: 'alice', tenants: ['acme', 'globex'], scope: all }),
      bob: provider.addPerson({ name: 'bob', tenants: ['acme'], scope: 'documents:read documents:write' }),
      rita: provider.addPerson({ name: 'rita', tenants: ['acme'], scope: 'documents:read' }),
      carl: provider.addPerson({ name: 'carl', tenants: ['globex'], scope: all }),
    },
    async signedIn(person, path, options) {
      const window = await browser.newWindow(options)
      await window.page.goto(`${service.url}${path}`)
      await signIn(window.page, person)
      return window
    },
    api: async (person, tenant = 'acme') =>
      createDocumentsClient({ url: service.url, tenant, token: await provider.token(person) }),
    stop: async () => {
      const faults = faultsIn(await close())
      if (faults.length > 0) throw new Error(faults.join('\n'))
    },
    close,
  }

  async function close(): Promise<SceneTraces> {
    const traces = await tracesOf(browser, service, provider.secrets)
    await service.stop()
    await provider.stop()
    return traces
  }
}

/** From the UI's own page for signing in through the provider's, and back. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await authenticate(page, person)
  await page.getByRole('button', { name: 'Sign out' }).waitFor()
}

/** At the provider's page. */
export async function authenticate(page: Page, { name, password }: Person): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Continue' }).click()
}

/** The first twelve digits, by which the UI calls a version. */
export function shortDigest(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12)
}
