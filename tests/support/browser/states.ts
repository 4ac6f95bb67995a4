import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** Git ignores it; each run overwrites it. */
const folder = join(import.meta.dir, '../../browser/screenshots')

const wide = { width: 1440, height: 900 }
/** CSS pixels of a narrow phone, and of a screen at 400 % (WCAG 2.2, 1.4.10 "Reflow"). */
const phone = { width: 320, height: 700 }

/** Colours hang on the scheme and the rest on the size, so axe-core need not see every pair. */
const looks = [
  { look: 'light-wide', colorScheme: 'light', size: wide, audited: true },
  { look: 'dark-wide', colorScheme: 'dark', size: wide, audited: false },
  { look: 'light-phone', colorScheme: 'light', size: phone, audited: false },
  { look: 'dark-phone', colorScheme: 'dark', size: phone, audited: true },
] as const

/**
 * Looks at the page as it is now in light and dark, on a phone and on a wide screen: saves a screenshot of each as
 * `<state>.<look>.png`, and asks axe-core what is not accessible.
 *
 * @param state what is to be seen, in words with hyphens.
 * @returns what axe-core found (WCAG 2.2 A and AA, and its best practices), and where the page is wider than the
 *   screen: nothing, where all is well.
 */
export async function flawsOf(page: Page, state: string): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const before = page.viewportSize() ?? wide
  const flaws: string[] = []
  for (const { look, colorScheme, size, audited } of looks) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize(size)
    await page.screenshot({
      path: join(folder, `${state}.${look}.png`),
      animations: 'disabled',
    })
    const found = [...(audited ? await violations(page) : []), ...(await overflow(page))]
    flaws.push(...found.map((flaw) => `${look}: ${flaw}`))
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  await page.setViewportSize(before)
  return flaws
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const found = await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document)
    return violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) }))
  })
  return found.map(({ id, help, where }) => `${id}: ${help}: ${where.join(' ')}`)
}

/** WCAG 2.2, 1.4.10 "Reflow": no one has to scroll in two directions. */
async function overflow(page: Page): Promise<string[]> {
  const surplus = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  return surplus > 0 ? [`the page is ${surplus} pixels wider than the screen`] : []
}
