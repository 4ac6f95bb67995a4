import type { BrowserContext, Page } from 'playwright-core'

/** What one origin has left in a window. */
export interface StoredByOrigin {
  origin: string
  /** Dies with the tab. */
  sessionStorage: Record<string, string>
  localStorage: Record<string, string>
  /** Names of databases (IndexedDB), caches and service workers. */
  others: string[]
  /** As `name=value`, including those that scripts cannot read. */
  cookies: string[]
}

/** Everything that the pages of a window have stored, each for its origin. */
export async function storedIn(context: BrowserContext): Promise<StoredByOrigin[]> {
  const pages = context.pages().filter((page) => page.url().startsWith('http'))
  return Promise.all(
    pages.map(async (page) => {
      const cookies = await context.cookies(page.url())
      return {
        ...(await storedBy(page)),
        cookies: cookies.map(({ name, value }) => `${name}=${value}`),
      }
    }),
  )
}

function storedBy(page: Page): Promise<Omit<StoredByOrigin, 'cookies'>> {
  return page.evaluate(async () => {
    const [databases, cacheNames, workers] = await Promise.all([
      indexedDB.databases(),
      // Only where the origin is trustworthy.
      typeof caches === 'undefined' ? [] : caches.keys(),
      navigator.serviceWorker?.getRegistrations() ?? [],
    ])
    return {
      origin: location.origin,
      sessionStorage: { ...sessionStorage },
      localStorage: { ...localStorage },
      others: [
        ...databases.map(({ name }) => `database ${name}`),
        ...cacheNames.map((name) => `cache ${name}`),
        ...workers.map(({ scope }) => `service worker ${scope}`),
      ],
    }
  })
}
