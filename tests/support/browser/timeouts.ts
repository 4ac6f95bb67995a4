import type { BrowserContext, Locator, Page } from 'playwright-core'
import type { Recording } from './browser-recording.ts'

const recordings = new WeakMap<BrowserContext, Recording>()
const pageCharactersMax = 600
let isWrapped = false

/**
 * Makes the error of a locator that waited in vain say what its page shows instead, and which requests of its browser
 * failed: without that, a fault that one run in a hundred has cannot be understood from its report.
 *
 * The library has no hook for it, so the method that all its locators share is wrapped once.
 */
export function explainTimeouts(page: Page, recording: Recording): void {
  recordings.set(page.context(), recording)
  if (isWrapped) return
  isWrapped = true
  const locators: Pick<Locator, 'waitFor'> = Object.getPrototypeOf(page.locator('html'))
  const { waitFor } = locators
  locators.waitFor = async function (this: Locator, options) {
    try {
      await waitFor.call(this, options)
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError')
        error.message += `\n${await explanationOf(this.page())}`
      throw error
    }
  }
}

async function explanationOf(page: Page): Promise<string> {
  const shown = await page.locator('body').ariaSnapshot({ timeout: 5000 }).catch(String)
  const { exchanges, complaints } = recordings.get(page.context()) ?? { exchanges: [], complaints: [] }
  const failed = exchanges.filter(({ failure, status = 0 }) => failure !== undefined || status >= 400)
  return [
    `The page shows: ${shown.replaceAll(/\s+/g, ' ').slice(0, pageCharactersMax)}`,
    ...failed.map(({ method, url, failure, status }) => `${method} ${pathOf(url)}: ${failure ?? status}`),
    ...complaints,
  ].join('\n')
}

/** Returns the URL without its query, which may be signed. */
function pathOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
