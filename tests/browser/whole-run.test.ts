/**
 * Does all that an operator can do, with every byte on every socket of the browser logged, and then reads the log.
 * The other files log heads and not bodies; each is searched in the same way when its scene ends (`faults.ts`).
 */
import { describe, expect, it, setDefaultTimeout } from 'bun:test'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { keptTooLong, urlsWithTokens } from '../support/browser/faults.ts'
import { filesOnDisk, upload } from '../support/browser/files.ts'
import { findAccessKeyId, findSecrets, tokensIn } from '../support/browser/leaks.ts'
import { openScene, shortDigest } from '../support/browser/scene.ts'
import { digestOf, MiB, randomDocument } from '../support/service/sample-documents.ts'
import { eventually } from '../support/waiting.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'deployment-bundles'
/** A secret that the page was given on purpose. */
const planted = crypto.randomUUID()

const scene = await openScene({ socketBytes: true })
const files = await filesOnDisk()
const { service, people, provider } = scene
provider.accessTokenSeconds = 9
const { page } = await scene.signedIn(people.alice, '/')
await page.getByRole('combobox', { name: 'Tenant' }).selectOption('acme')
await page.getByRole('textbox', { name: 'Other or new type' }).fill(type)
await page.getByRole('button', { name: 'Open' }).click()
const transfer = (name: string) =>
  page.getByRole('region', { name: 'Transfers' }).getByRole('group', { name, exact: true })
const uploaded = async (name: string, bytes: Uint8Array) => {
  await upload(page, await files.write(name, bytes))
  await transfer(name).filter({ hasText: 'Uploaded' }).waitFor()
}
const small = new TextEncoder().encode('{"small":true}')
await uploaded('small.json', small)
await uploaded('large.bin', randomDocument(65 * MiB))
await page.getByRole('searchbox', { name: 'Name begins with' }).fill('small')
await page.getByRole('table', { name: 'Documents' }).getByRole('link', { name: 'small.json' }).click()
const short = shortDigest(digestOf(small))
const saved = page.waitForEvent('download')
await page.getByRole('button', { name: `Download ${short}` }).click()
await saved
await page.getByRole('button', { name: `Preview ${short}` }).click()
await page.getByRole('region', { name: 'Text of the version' }).waitFor()
await page.getByRole('button', { name: 'Close' }).click()
await page.getByRole('button', { name: `Set tag on ${short}` }).click()
await page.getByRole('textbox', { name: 'Name of the tag' }).fill('production')
await page.getByRole('button', { name: 'Move tag' }).click()
await page.getByRole('button', { name: `Delete ${short}` }).click()
await page.getByRole('button', { name: 'Delete version' }).click()
await page.getByRole('dialog').getByRole('alert').waitFor()
await page.getByRole('button', { name: 'Cancel' }).click()
await eventually(() => provider.grants.includes('refresh_token'), true)
// Another window, since this one is examined while a person is signed in.
const other = await scene.signedIn(people.bob, '/tenants/acme')
await other.page.getByRole('button', { name: 'Sign out' }).click()
await other.page.getByRole('button', { name: 'Yes, sign out' }).click()
await other.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
await other.page.evaluate((url) => fetch(url).then((answer) => answer.text()), plantedUrl())
const traces = await scene.close()

function plantedUrl(): string {
  return `${service.url}/livez?planted=${planted}`
}

describe('All that the browser has seen, sent and kept', () => {
  it('holds no credential of the store, no key that the service signs with, and none of the issuer', () => {
    expect(findSecrets(traces, traces.secrets)).toEqual([])
  })

  it('names the access key only where a signature has to (SigV4, X-Amz-Credential)', () => {
    expect(traces.netLogText).toContain(traces.accessKeyId)
    expect(findAccessKeyId(traces, traces.accessKeyId)).toEqual([])
  })

  it('has no token in a URL of any request', () => {
    expect(urlsWithTokens(traces)).toEqual([])
  })

  it('has nothing of the UI in what outlives the tab: local storage, cookies, databases, caches', () => {
    expect(traces.stored.filter(({ origin }) => origin === traces.origin).length).toBeGreaterThan(0)
    expect(keptTooLong(traces)).toEqual([])
  })

  it('went to no other machine', () => {
    expect(traces.netLog.addresses.filter((at) => !/^(127\.0\.0\.1|\[::1\]):/.test(at))).toEqual([])
  })

  it('came without a complaint', () => {
    expect(traces.recording.complaints).toEqual([])
  })

  it('would show a secret: one that was planted is found, in the log of the sockets too', () => {
    expect(findSecrets(traces, [planted])).toEqual([
      expect.stringContaining('/livez'),
      'secret 1: the log of the browser',
    ])
    const [token = 'none'] = tokensIn(traces.recording)
    expect(findSecrets({ ...traces, recording: { exchanges: [] } }, [token])).toContain(
      'secret 1: the log of the browser',
    )
  })
})
