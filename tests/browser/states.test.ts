/** Every state of the UI, in light and dark, on a phone and on a wide screen; see `states.ts`. */
import { beforeEach, describe, expect, it, setDefaultTimeout } from 'bun:test'
import type { Page } from 'playwright-core'
import { ProblemError } from '../../service/client/errors.ts'
import { hangMilliseconds } from '../support/browser/browser.ts'
import { filesOnDisk, upload } from '../support/browser/files.ts'
import { openScene } from '../support/browser/scene.ts'
import { flawsOf } from '../support/browser/states.ts'
import { randomDocument } from '../support/service/sample-documents.ts'
import { stoppedAfterTests } from '../support/stop-at-the-end.ts'
import { storeForTests } from '../support/stores/store.ts'
import { overloadPage, type StoreBehaviours, startStoreProxy } from '../support/stores/strict-proxy.ts'

setDefaultTimeout(hangMilliseconds)

const type = 'deployment-bundles'
const behaviours: StoreBehaviours = { requestBytesPerSecondMax: undefined }

const proxy = stoppedAfterTests(await startStoreProxy(await storeForTests(), behaviours))
const scene = stoppedAfterTests(
  await openScene({ store: proxy, env: { TRACE_URL_TEMPLATE: 'https://traces.example/{traceId}' } }),
)
const files = await filesOnDisk()
await fill()
const operator = await scene.signedIn(scene.people.alice, '/')
const page = operator.page

beforeEach(() => {
  for (const name of Object.keys(behaviours)) delete behaviours[name as keyof StoreBehaviours]
  behaviours.requestBytesPerSecondMax = undefined
})

/** Some documents, and one with three versions of two people and their tags. */
async function fill(): Promise<void> {
  const [alice, bob] = [await scene.api(scene.people.alice), await scene.api(scene.people.bob)]
  for (const name of ['billing', 'checkout', 'gateway', 'inventory', 'search']) {
    await alice.put({ type, name: `${name}.tgz` }, randomDocument(40_000 + 7_000 * name.length))
  }
  const orders = { type, name: 'orders-api.json' }
  for (const [index, client] of [alice, bob, alice].entries()) {
    const text = JSON.stringify({ service: 'orders-api', release: `1.4.${index}`, replicas: 3 })
    const { document } = await client.put(orders, new TextEncoder().encode(text), {
      contentType: 'application/json',
    })
    await alice.putTag(orders, `v1.4.${index}`, document.digest)
    if (index === 1) await alice.putTag(orders, 'production', document.digest)
  }
}

async function open(path: string, at: Page = page): Promise<void> {
  await at.goto(`${scene.service.url}${path}`)
  await at.getByRole('heading').first().waitFor()
}

const orders = `/tenants/acme/${type}/orders-api.json`

async function openVersions(): Promise<void> {
  await open(orders)
  await page.getByRole('table', { name: 'Versions' }).waitFor()
}

/** What the service answers to another caller; Chromium does not always keep the body that it was given. */
async function titleOfRefusal(refusedType: string): Promise<string> {
  const alice = await scene.api(scene.people.alice)
  const refusal = await Array.fromAsync(alice.list({ type: refusedType })).catch((error) => error)
  expect(refusal).toBeInstanceOf(ProblemError)
  return refusal.title
}

describe('Without a session', () => {
  it('is asked to', async () => {
    const { page, close } = await scene.browser.newWindow()
    await open('/tenants/acme', page)
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor()
    expect(await flawsOf(page, 'sign-in')).toEqual([])
    await close()
  })

  it('the sign-in page says when the issuer does not answer, or refuses', async () => {
    const { page, close } = await scene.browser.newWindow()
    await open('/sign-in/callback?error=access_denied&state=unknown', page)
    await page.getByRole('alert').waitFor()
    expect(await flawsOf(page, 'sign-in-refused')).toEqual([])
    await close()
  })
})

describe('A list', () => {
  it('shows the list with documents', async () => {
    await open(`/tenants/acme/${type}`)
    await page.getByRole('table', { name: 'Documents' }).getByRole('link').first().waitFor()
    expect(await flawsOf(page, 'list')).toEqual([])
  })

  it('says that a list is empty, and what to do', async () => {
    await open('/tenants/acme/snapshots')
    await page.getByText('No documents of this type yet').waitFor()
    expect(await flawsOf(page, 'list-empty')).toEqual([])
  })

  it('says that no name begins as asked', async () => {
    await open(`/tenants/acme/${type}?prefix=nothing-like-that`)
    await page.getByText('No name begins with').waitFor()
    expect(await flawsOf(page, 'list-filtered-away')).toEqual([])
  })

  it('says that a list is being read', async () => {
    behaviours.delayMilliseconds = 15_000
    await open('/tenants/acme/definitions')
    await page.getByRole('status').filter({ hasText: 'Loading' }).waitFor()
    await page.getByText('The service or its object store is slow to answer').waitFor()
    expect(await flawsOf(page, 'list-loading')).toEqual([])
  })

  it('says why a list cannot be read, with the id of the trace that its request carried', async () => {
    behaviours.answer = () => overloadPage
    await open('/tenants/acme/diagnostics')
    const alert = page.getByRole('alert')
    await alert.waitFor()
    const { exchanges, settled } = scene.browser.recording
    await settled()
    const refused = exchanges.findLast(({ url }) => url.includes('type=diagnostics'))
    const traceId = refused?.headers.traceparent?.split('-')[1] ?? 'none'
    expect(refused?.status).toBe(503)
    expect(await alert.textContent()).toContain(await titleOfRefusal('diagnostics'))
    const link = alert.getByRole('link', { name: `Trace ${traceId}` })
    expect(await link.getAttribute('href')).toBe(`https://traces.example/${traceId}`)
    expect(await flawsOf(page, 'list-error')).toEqual([])
    delete behaviours.answer
    await alert.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('No documents of this type yet').waitFor()
  })

  it('says that there is no network', async () => {
    await open(`/tenants/acme/${type}`)
    await operator.context.setOffline(true)
    await page.getByRole('status').filter({ hasText: 'You are offline' }).waitFor()
    expect(await flawsOf(page, 'offline')).toEqual([])
    await operator.context.setOffline(false)
    await page.getByText('You are offline').waitFor({ state: 'detached' })
  })
})

describe('A person without permission', () => {
  it('sees which scope is missing', async () => {
    const { page, close } = await scene.signedIn(scene.people.rita, `/tenants/acme/${type}`)
    await page.getByText('You may not upload documents').waitFor()
    expect(await page.getByText('documents:write').count()).toBe(1)
    expect(await flawsOf(page, 'no-permission-to-write')).toEqual([])
    await close()
  })

  it('sees no document without the scope to read', async () => {
    const nora = scene.provider.addPerson({ name: 'nora', tenants: ['acme'], scope: 'documents:write' })
    const { page, close } = await scene.signedIn(nora, `/tenants/acme/${type}`)
    await page.getByText('You may not list documents').waitFor()
    expect(await flawsOf(page, 'no-permission-to-read')).toEqual([])
    await close()
  })

  it('sees that the sign-in includes no tenant', async () => {
    const nemo = scene.provider.addPerson({ name: 'nemo', tenants: [], scope: 'documents:read' })
    const { page, close } = await scene.signedIn(nemo, '/')
    await page.getByText('You have no access to any tenant').waitFor()
    expect(await flawsOf(page, 'no-tenant')).toEqual([])
    await close()
  })

  it('sees of another tenant that there is no access to it', async () => {
    await open('/tenants/elsewhere')
    await page.getByRole('alert').waitFor()
    expect(await flawsOf(page, 'foreign-tenant')).toEqual([])
  })
})

describe('Tenants and their types', () => {
  it('can be chosen', async () => {
    await open('/')
    await page.getByRole('main').getByRole('link', { name: 'globex' }).waitFor()
    expect(await flawsOf(page, 'tenants')).toEqual([])
    await open('/tenants/acme')
    await page.getByRole('link', { name: type }).waitFor()
    expect(await flawsOf(page, 'types')).toEqual([])
  })

  it('shows that a tenant has no documents yet', async () => {
    await open('/tenants/globex')
    await page.getByText('This tenant has no documents yet').waitFor()
    expect(await flawsOf(page, 'types-empty')).toEqual([])
  })
})

describe('A document', () => {
  it('shows a document with its versions', async () => {
    await openVersions()
    expect(await flawsOf(page, 'versions')).toEqual([])
  })

  it('shows that a document does not exist', async () => {
    await open(`/tenants/acme/${type}/absent.tgz`)
    await page.getByRole('alert').waitFor()
    expect(await flawsOf(page, 'document-not-found')).toEqual([])
  })

  it('shows the dialog that moves a tag', async () => {
    await openVersions()
    await page
      .getByRole('button', { name: /^Set tag on/ })
      .last()
      .click()
    await page.getByText('moved there by').waitFor()
    expect(await flawsOf(page, 'set-tag')).toEqual([])
  })

  it('shows a preview', async () => {
    await openVersions()
    await page
      .getByRole('button', { name: /^Preview/ })
      .first()
      .click()
    await page.getByRole('region', { name: 'Text of the version' }).waitFor()
    expect(await flawsOf(page, 'preview')).toEqual([])
  })

  it('shows the dialog that deletes a version, and why it cannot', async () => {
    await openVersions()
    await page
      .getByRole('row')
      .filter({ hasText: 'production' })
      .getByRole('button', { name: /^Delete/ })
      .click()
    expect(await flawsOf(page, 'delete')).toEqual([])
    await page.getByRole('button', { name: 'Delete version' }).click()
    await page.getByRole('dialog').getByRole('alert').waitFor()
    expect(await flawsOf(page, 'delete-refused')).toEqual([])
  })
})

describe('Transfers', () => {
  it('shows transfers that run, are done and have failed', async () => {
    await open('/tenants/acme/snapshots')
    const region = page.getByRole('region', { name: 'Transfers' })
    await upload(page, await files.write('done.tgz', randomDocument(9_000)))
    await region.getByRole('group', { name: 'done.tgz' }).filter({ hasText: 'Uploaded' }).waitFor()
    behaviours.answer = () => overloadPage
    await upload(page, await files.write('failed.tgz', randomDocument(9_000)))
    await region.getByRole('group', { name: 'failed.tgz' }).getByRole('alert').waitFor()
    delete behaviours.answer
    behaviours.requestBytesPerSecondMax = 0
    await upload(page, await files.write('running.bin', randomDocument(65 * 1024 * 1024)))
    await region.getByRole('group', { name: 'running.bin' }).filter({ hasText: 'Uploading' }).waitFor()
    expect(await flawsOf(page, 'transfers')).toEqual([])
    await page.getByRole('button', { name: 'Cancel running.bin' }).click()
  })
})

describe('A session', () => {
  it('shows the dialog of an ended session', async () => {
    scene.provider.accessTokenSeconds = 2
    const { page, close } = await scene.signedIn(scene.people.bob, `/tenants/acme/${type}`)
    scene.provider.endSessions()
    await page.getByRole('dialog', { name: 'Session ended' }).waitFor()
    expect(await flawsOf(page, 'session-ended')).toEqual([])
    scene.provider.accessTokenSeconds = 300
    await close()
  })
})
