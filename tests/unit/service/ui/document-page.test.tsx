import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import type { Document } from '../../../../service/wire/answers.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { openPage } from '../../../support/ui/ui-page.ts'
import { type ServiceForUi, startServiceForUi } from '../../../support/ui/ui-service.ts'

const { render, screen, within, waitFor, userEvent } = await openDom()

const ref = { type: 'deployment-bundles', name: 'orders.json' }
let service: ServiceForUi
let older: Document
let newer: Document

beforeEach(async () => {
  service = await startServiceForUi()
  older = await put('{"replicas":3}')
  newer = await put('{"replicas":5}')
  const acme = await service.client()
  await acme.putTag(ref, 'production', newer.digest)
})
afterEach(() => service.stop())

async function put(text: string, contentType = 'application/json'): Promise<Document> {
  const acme = await service.client()
  const { document } = await acme.put(ref, new TextEncoder().encode(text), { contentType })
  return document
}

async function open(as = {}, query = '') {
  const page = await openPage(render, service, { path: `/tenants/acme/${ref.type}/${ref.name}${query}`, as })
  return { ...page, user: userEvent.setup() }
}

function short({ digest }: Document): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12)
}

async function rowOf(version: Document) {
  const table = await screen.findByRole('table', { name: 'Versions' })
  return within(table).getByRole('row', { name: new RegExp(short(version)) })
}

/** Where the tag points by now, asked of the service itself. */
async function production(): Promise<string> {
  const acme = await service.client()
  return (await acme.getTag(ref, 'production')).digest
}

describe('The page of a document', () => {
  it('shows its versions, newest first, with tags and who uploaded them', async () => {
    await open()
    const table = await screen.findByRole('table', { name: 'Versions' })
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe(ref.name)
    const headers = within(table)
      .getAllByRole('columnheader')
      .map(({ textContent }) => textContent)
    expect(headers).toEqual([
      ...['Version', 'Tags', 'Size', 'Content type', 'Uploaded by', 'Uploaded at', 'Actions'],
    ])
    const first = within(await rowOf(newer))
      .getAllByRole('cell')
      .map(({ textContent }) => textContent)
    expect(first.slice(0, 5)).toEqual([short(newer), 'latestproduction', '14 B', 'application/json', 'alice'])
    const rows = within(table).getAllByRole('row')
    expect(rows.indexOf(await rowOf(newer))).toBeLessThan(rows.indexOf(await rowOf(older)))
  })

  it('marks the version that the address names', async () => {
    await open({}, `?version=${older.digest}`)
    expect((await rowOf(older)).getAttribute('aria-current')).toBe('true')
    expect((await rowOf(newer)).getAttribute('aria-current')).toBeNull()
  })

  it('says so when the version of the address is not there', async () => {
    await open({}, `?version=sha256:${'0'.repeat(64)}`)
    await screen.findByText('The version of this address does not exist. It may have been deleted.')
  })

  it('says so without asking when the address names what is no digest', async () => {
    service.asked.length = 0
    await open({}, '?version=sha256:0')
    await screen.findByText(/^The address names a version that cannot exist/)
    expect(service.asked.filter((call) => call.includes('/versions/'))).toEqual([])
  })

  it('offers deleting to admins alone, and tags to those who may write', async () => {
    await open({ scope: 'documents:read' })
    await rowOf(newer)
    expect(screen.queryByRole('button', { name: /^(Delete|Set tag on)/ }) === null).toBe(true)
    screen.getByRole('button', { name: `Download ${short(newer)}` })
    screen.getByRole('button', { name: `Copy digest ${short(newer)}` })
  })

  it('says that there is no such document, and leads back to the list', async () => {
    await openPage(render, service, { path: `/tenants/acme/${ref.type}/absent.tgz` })
    const alert = await screen.findByRole('alert')
    within(alert).getByText('There is no such document')
    within(alert).getByRole('link', { name: 'To the list' })
  })

  it('names the scope that is missing instead of asking for what it would be refused', async () => {
    await open({ scope: 'documents:write' })
    expect(screen.getByText(/^You may not read documents/).textContent).toContain('documents:read')
  })
})

describe('Moving a tag', () => {
  it('takes two clicks to roll production back', async () => {
    const { user } = await open()
    await rowOf(older)
    await user.click(screen.getByRole('button', { name: `Set tag on ${short(older)}` }))
    const dialog = screen.getByRole('dialog', { name: `Set tag on ${short(older)}` })
    expect(within(dialog).getByRole<HTMLInputElement>('radio', { name: /^production/ }).checked).toBe(true)
    await within(dialog).findByText(/ now, moved there by alice/)
    await user.click(within(dialog).getByRole('button', { name: 'Move tag' }))
    await waitFor(() => expect(screen.queryByRole('dialog') === null).toBe(true))
    expect(await production()).toBe(older.digest)
    const told = screen.getByText(`production is on ${short(older)} now`)
    expect(told.getAttribute('aria-live')).toBe('polite')
    await waitFor(async () => within(await rowOf(older)).getByText('production'))
  })

  it('can be undone', async () => {
    const { user } = await open()
    await rowOf(older)
    await user.click(screen.getByRole('button', { name: `Set tag on ${short(older)}` }))
    await screen.findByText(/ now, moved there by alice/)
    await user.click(screen.getByRole('button', { name: 'Move tag' }))
    await user.click(await screen.findByRole('button', { name: 'Undo' }))
    await waitFor(async () => expect(await production()).toBe(newer.digest))
  })

  it('does not undo what someone else did in the meantime, and says so', async () => {
    const { user } = await open()
    await rowOf(older)
    await user.click(screen.getByRole('button', { name: `Set tag on ${short(older)}` }))
    await screen.findByText(/ now, moved there by alice/)
    const third = await put('{"replicas":9}')
    await (await service.client()).putTag(ref, 'production', third.digest)
    await user.click(screen.getByRole('button', { name: 'Move tag' }))
    const alert = await screen.findByRole('alert')
    within(alert).getByText('The tag is not where it was')
    within(alert).getByText(/Someone else moved this tag in the meantime/)
    expect(await production()).toBe(third.digest)
    await within(screen.getByRole('dialog')).findByTitle(third.digest)
  })

  it('makes a new tag of a name that is typed in, and refuses what is no name', async () => {
    const { user } = await open()
    await rowOf(older)
    await user.click(screen.getByRole('button', { name: `Set tag on ${short(older)}` }))
    await user.click(screen.getByRole('radio', { name: 'Another tag' }))
    const field = screen.getByRole('textbox', { name: 'Name of the tag' })
    const move = screen.getByRole<HTMLButtonElement>('button', { name: 'Move tag' })
    await user.type(field, 'no good')
    expect(field.getAttribute('aria-invalid')).toBe('true')
    const hint = document.getElementById(field.getAttribute('aria-describedby') ?? '')
    expect(hint?.textContent).toMatch(/^A tag begins with/)
    expect(move.disabled).toBe(true)
    await user.clear(field)
    await user.type(field, 'v2.0')
    await screen.findByText(/There is no tag/)
    await user.click(move)
    await waitFor(async () => within(await rowOf(older)).getByText('v2.0'))
  })

  it('is offered once it is known where the tag is, so that no click does nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<null>()
    const { user } = await open()
    await rowOf(older)
    service.intercept = ({ url }) =>
      url.endsWith('/tags') ? (promise as unknown as Promise<Response>) : null
    await user.click(screen.getByRole('button', { name: `Set tag on ${short(older)}` }))
    const move = screen.getByRole<HTMLButtonElement>('button', { name: 'Move tag' })
    expect(move.disabled).toBe(true)
    resolve(null)
    await waitFor(() => expect(move.disabled).toBe(false))
    await user.click(move)
    await waitFor(async () => expect(await production()).toBe(older.digest))
  })

  it('is not offered for where the tag is already', async () => {
    const { user } = await open()
    await rowOf(newer)
    await user.click(screen.getByRole('button', { name: `Set tag on ${short(newer)}` }))
    await screen.findByText(/is on this version already/)
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Move tag' }).disabled).toBe(true)
  })
})

describe('The tags of a document', () => {
  const tagsShown = async () =>
    within(await screen.findByRole('table', { name: 'Tags' }))
      .getAllByRole('row')
      .slice(1)
      .map((row) => within(row).getAllByRole('cell')[0]?.textContent)

  it('stand above its versions: the latest first, then by name as people count', async () => {
    const acme = await service.client()
    for (const tag of ['v10', 'v9', 'staging']) await acme.putTag(ref, tag, older.digest)
    await open()
    expect(await tagsShown()).toEqual(['latest', 'production', 'staging', 'v9', 'v10'])
    const row = screen.getByRole('row', { name: /^v9/ })
    expect(within(row).getByRole('link').getAttribute('href')).toEndWith(encodeURIComponent(older.digest))
    within(row).getByText('alice')
  })

  it('are shown in part where there are many, those without numbers among them', async () => {
    const acme = await service.client()
    for (let index = 1; index <= 60; index++) await acme.putTag(ref, `build-${index}`, older.digest)
    const { user } = await open()
    const few = await tagsShown()
    expect(few).toHaveLength(8)
    expect(few).toContain('production')
    expect(within(await rowOf(older)).getAllByRole('cell')[1]?.textContent).toEndWith('and 52 more')
    await user.click(screen.getByRole('button', { name: 'Show all 62 tags' }))
    expect(await tagsShown()).toHaveLength(62)
    await user.click(screen.getByRole('button', { name: 'Show fewer tags' }))
    expect(await tagsShown()).toEqual(few)
  })

  it('can be moved, to a version of the list or to any by its digest', async () => {
    const { user } = await open()
    await user.click(await screen.findByRole('button', { name: 'Move production' }))
    const dialog = screen.getByRole('dialog', { name: 'Move the tag production' })
    await user.selectOptions(within(dialog).getByRole('combobox'), 'Another version, by its digest')
    const field = within(dialog).getByRole('textbox', { name: 'Digest of the version' })
    const move = within(dialog).getByRole<HTMLButtonElement>('button', { name: 'Move tag' })
    await user.type(field, 'sha256:0')
    expect([field.getAttribute('aria-invalid'), move.disabled]).toEqual(['true', true])
    await user.clear(field)
    await user.type(field, older.digest.replace('sha256:', ''))
    await user.click(move)
    await waitFor(async () => expect(await production()).toBe(older.digest))
    await user.click(await screen.findByRole('button', { name: 'Move production' }))
    await user.selectOptions(screen.getByRole('combobox', { name: 'To version' }), newer.digest)
    await user.click(screen.getByRole('button', { name: 'Move tag' }))
    await waitFor(async () => expect(await production()).toBe(newer.digest))
  })

  it('are not moved or removed unless they are where they are shown', async () => {
    const third = await put('{"replicas":9}')
    const { user } = await open()
    await user.click(await screen.findByRole('button', { name: 'Remove production' }))
    await (await service.client()).putTag(ref, 'production', third.digest)
    await user.click(screen.getByRole('button', { name: 'Remove tag' }))
    within(await screen.findByRole('alert')).getByText(/Someone else moved this tag/)
    await within(screen.getByRole('dialog')).findByText(third.digest)
    expect(await production()).toBe(third.digest)
    await user.click(screen.getByRole('button', { name: 'Remove tag' }))
    await waitFor(() => expect(screen.queryByRole('dialog') === null).toBe(true))
    await waitFor(async () => expect(await tagsShown()).toEqual(['latest']))
    expect(document.activeElement?.textContent).toBe('Tags')
  })

  it('say so when another person removed the one that a dialog is about', async () => {
    const { user } = await open()
    await user.click(await screen.findByRole('button', { name: 'Move production' }))
    await (await service.client()).deleteTag(ref, 'production')
    await user.selectOptions(screen.getByRole('combobox', { name: 'To version' }), older.digest)
    await user.click(screen.getByRole('button', { name: 'Move tag' }))
    await screen.findByRole('dialog', { name: 'The tag production was removed' })
  })

  it('cannot be changed by those who may only read, and the latest cannot be removed', async () => {
    const { unmount } = await open({ scope: 'documents:read' })
    await tagsShown()
    expect(screen.queryByRole('button', { name: /^(Move|Remove) / }) === null).toBe(true)
    unmount()
    await open()
    await tagsShown()
    expect(screen.queryByRole('button', { name: 'Remove latest' }) === null).toBe(true)
  })

  it('can be asked for again while they cannot be read, and the versions are shown meanwhile', async () => {
    const refused = { title: 'The object store refused the call', detail: '', code: 'store_refused' }
    const headers = { 'content-type': 'application/problem+json' }
    service.intercept = ({ url }) =>
      url.endsWith('/tags') ? Response.json(refused, { status: 400, headers }) : null
    const { user } = await open()
    await rowOf(newer)
    const alert = await screen.findByRole('alert')
    service.intercept = () => null
    await user.click(within(alert).getByRole('button', { name: 'Try again' }))
    expect(await tagsShown()).toEqual(['latest', 'production'])
  })
})

describe('Deleting a version', () => {
  it('names what it is about, and takes it out of the page', async () => {
    const { user } = await open()
    await rowOf(older)
    await user.click(screen.getByRole('button', { name: `Delete ${short(older)}` }))
    const dialog = screen.getByRole('dialog', { name: 'Delete this version?' })
    within(dialog).getByText(ref.name)
    within(dialog).getByText(ref.type)
    within(dialog).getByText(older.digest)
    await user.click(within(dialog).getByRole('button', { name: 'Delete version' }))
    await waitFor(() => expect(screen.queryByText(short(older)) === null).toBe(true))
    expect(screen.queryByRole('dialog') === null).toBe(true)
  })

  it('leaves nothing of the only version in the page', async () => {
    const acme = await service.client()
    const single = { type: ref.type, name: 'single.json' }
    const { document: version } = await acme.put(single, new TextEncoder().encode('{}'))
    const user = userEvent.setup()
    await openPage(render, service, { path: `/tenants/acme/${ref.type}/single.json` })
    await rowOf(version)
    await user.click(screen.getByRole('button', { name: `Delete ${short(version)}` }))
    await user.click(screen.getByRole('button', { name: 'Delete version' }))
    const note = await screen.findByText(/^The last version was deleted, and single.json with it/)
    expect(document.activeElement === note).toBe(true)
    screen.getByRole('link', { name: 'To the list' })
    expect(screen.queryByRole('alert') === null).toBe(true)
    expect(screen.queryByRole('table') === null).toBe(true)
  })

  it('is explained where a tag holds the version', async () => {
    const { user } = await open()
    await rowOf(newer)
    await user.click(screen.getByRole('button', { name: `Delete ${short(newer)}` }))
    await user.click(screen.getByRole('button', { name: 'Delete version' }))
    const alert = await screen.findByRole('alert')
    within(alert).getByText('The version is tagged')
    within(alert).getByText(/"production"/)
    await user.click(within(alert).getByRole('button', { name: 'Show the tags' }))
    expect(screen.queryByRole('dialog') === null).toBe(true)
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Tags'))
  })

  it('can be left without deleting', async () => {
    const { user } = await open()
    await rowOf(older)
    const button = screen.getByRole('button', { name: `Delete ${short(older)}` })
    await user.click(button)
    await user.click(screen.getByRole('button', { name: 'Cancel' }))
    expect(screen.queryByRole('dialog') === null).toBe(true)
    expect(document.activeElement === button).toBe(true)
    await rowOf(older)
  })
})

describe('The preview of a version', () => {
  it('shows JSON indented, and as it is stored on demand', async () => {
    const { user } = await open()
    await rowOf(newer)
    await user.click(screen.getByRole('button', { name: `Preview ${short(newer)}` }))
    const text = await screen.findByRole('region', { name: 'Text of the version' })
    expect(text.textContent).toBe('{\n  "replicas": 5\n}')
    await user.click(screen.getByRole('checkbox', { name: 'Show as stored' }))
    expect(text.textContent).toBe('{"replicas":5}')
  })

  it('shows markup as text', async () => {
    const page = await put('<script>alert(1)</script>', 'text/html')
    const { user, container } = await open()
    await rowOf(page)
    await user.click(screen.getByRole('button', { name: `Preview ${short(page)}` }))
    const text = await screen.findByRole('region', { name: 'Text of the version' })
    expect(text.textContent).toBe('<script>alert(1)</script>')
    expect(container.querySelector('script')).toBeNull()
  })

  it('is not offered for what is no text', async () => {
    const archive = await put('x', 'application/gzip')
    await open()
    await rowOf(archive)
    expect(screen.queryByRole('button', { name: `Preview ${short(archive)}` }) === null).toBe(true)
  })
})

describe('Downloading a version', () => {
  it('saves verified bytes under the name of the document, as bytes that no browser opens', async () => {
    const { user, saved } = await open()
    await rowOf(newer)
    await user.click(screen.getByRole('button', { name: `Download ${short(newer)}` }))
    await screen.findByText(/^Verified and saved/)
    expect(saved.map(({ name, blob }) => [name, blob.type])).toEqual([[ref.name, 'application/octet-stream']])
    expect(await saved[0]?.blob.text()).toBe('{"replicas":5}')
  })

  it('goes through the service where the store cannot be used, and says so', async () => {
    service.isStoreOpen = false
    const { user, saved } = await open()
    await rowOf(newer)
    await user.click(screen.getByRole('button', { name: `Download ${short(newer)}` }))
    await screen.findByText(/through the service: the store does not allow downloads from this page/)
    expect(saved).toHaveLength(1)
  })
})
