import { afterEach, describe, expect, it } from 'bun:test'
import { stoppedAfterTests } from '../../../support/stop-at-the-end.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { openPage } from '../../../support/ui/ui-page.ts'
import { startServiceForUi } from '../../../support/ui/ui-service.ts'

const { render, screen, within, waitFor, userEvent, act } = await openDom()

const type = 'deployment-bundles'

const service = stoppedAfterTests(await startServiceForUi())
const acme = await service.client()
for (const [index, name] of ['alpha.json', 'alpha.tgz', 'beta.tgz', 'gamma.tgz'].entries()) {
  await acme.put({ type, name }, new Uint8Array(1000 * (4 - index)))
}
await acme.put({ type, name: 'alpha.json' }, new Uint8Array(10))
afterEach(() => {
  service.intercept = () => null
})

function open(path = `/tenants/acme/${type}`, as = {}) {
  return openPage(render, service, { path, as })
}

async function table() {
  return screen.findByRole('table', { name: 'Documents' })
}

/** Names in the order in which they are shown. */
async function names(): Promise<string[]> {
  return within(await table())
    .getAllByRole('link')
    .map((link) => link.textContent ?? '')
}

describe('The list of documents', () => {
  it('has a row for each document, with its latest version, content type, size and time', async () => {
    await open()
    expect(await names()).toEqual(['alpha.json', 'alpha.tgz', 'beta.tgz', 'gamma.tgz'])
    const row = within(await table()).getByRole('row', { name: /^alpha\.json/ })
    const cells = within(row)
      .getAllByRole('cell')
      .map(({ textContent }) => textContent)
    const [{ latest } = { latest: null }] = (await acme.namesPage({ type, include: 'latest' })).rows
    const digest = latest?.digest.slice('sha256:'.length, 'sha256:'.length + 12) ?? 'none'
    expect(cells.slice(0, 4)).toEqual(['alpha.json', digest, 'application/octet-stream', '10 B'])
    expect(cells[4]).not.toBe('')
    expect(within(row).getByRole('link').getAttribute('href')).toBe(`/tenants/acme/${type}/alpha.json`)
  })

  it('says that it is all there is', async () => {
    await open()
    await screen.findByText('All 4 documents')
  })

  it('says that it is the beginning, and how far an order holds, until all is loaded', async () => {
    for (let index = 100; index < 201; index++)
      await acme.put({ type: 'numbered', name: `s-${index}` }, new Uint8Array(index))
    await open('/tenants/acme/numbered?sort=-size')
    await screen.findByText(
      'The first 100 documents, sorted among themselves. Load all to sort all documents.',
    )
    expect((await names()).at(0)).toBe('s-199')
    await userEvent.setup().click(screen.getByRole('button', { name: 'Load all' }))
    await screen.findByText('All 101 documents')
    expect((await names()).at(0)).toBe('s-200')
    expect(screen.queryByRole('button', { name: /^Load/ }) === null).toBe(true)
  })

  it('tells how many rows there are, and which ones', async () => {
    await open()
    expect((await table()).getAttribute('aria-rowcount')).toBe('5')
    const rows = within(await table()).getAllByRole('row')
    expect(rows.map((row) => row.getAttribute('aria-rowindex'))).toEqual(['1', '2', '3', '4', '5'])
  })

  it('sorts by a column and says so, in both directions', async () => {
    await open()
    const user = userEvent.setup()
    await table()
    await user.click(screen.getByRole('button', { name: 'Size' }))
    expect(await names()).toEqual(['alpha.tgz', 'beta.tgz', 'gamma.tgz', 'alpha.json'])
    expect(screen.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('descending')
    expect(location.search).toBe('?sort=-size')
    await user.click(screen.getByRole('button', { name: 'Size' }))
    expect(await names()).toEqual(['alpha.json', 'gamma.tgz', 'beta.tgz', 'alpha.tgz'])
    expect(screen.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('ascending')
    expect(screen.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort')).toBe('none')
  })

  it('asks the service for names that begin as typed, and keeps it in the address', async () => {
    await open()
    await table()
    await userEvent.setup().type(screen.getByRole('searchbox', { name: 'Name begins with' }), 'alpha')
    await waitFor(async () => expect(await names()).toEqual(['alpha.json', 'alpha.tgz']))
    expect(location.search).toBe('?prefix=alpha')
    expect(service.asked.some((call) => call.includes('namePrefix=alpha'))).toBe(true)
  })

  it('searches all names for a part of them, and keeps it in the address', async () => {
    await open()
    await table()
    await userEvent.setup().type(screen.getByRole('searchbox', { name: 'Name contains' }), 'A.tgz')
    const found = await screen.findByRole('list', { name: 'Documents found' })
    await waitFor(() =>
      expect(
        within(found)
          .getAllByRole('link')
          .map(({ textContent }) => textContent),
      ).toEqual(['alpha.tgz', 'beta.tgz', 'gamma.tgz']),
    )
    await screen.findByText('3 of all 4 names contain “A.tgz”')
    expect(location.search).toBe('?contains=A.tgz')
    expect(screen.queryByText('Searching…') === null).toBe(true)
  })

  it('takes over what the address says after going back', async () => {
    await open(`/tenants/acme/${type}?prefix=beta`)
    const prefix = screen.getByRole<HTMLInputElement>('searchbox', { name: 'Name begins with' })
    expect(prefix.value).toBe('beta')
    await table()
    act(() => history.pushState(null, '', `/tenants/acme/${type}?prefix=gamma`))
    expect(prefix.value).toBe('gamma')
    await waitFor(async () => expect(await names()).toEqual(['gamma.tgz']))
  })

  it('shows what became of a document on its page without being read again', async () => {
    const single = { type: 'diagnostics', name: 'dump' }
    await acme.put(single, new Uint8Array(1))
    await acme.put(single, new Uint8Array(2))
    await acme.put({ ...single, name: 'other' }, new Uint8Array(3))
    await open('/tenants/acme/diagnostics')
    const user = userEvent.setup()
    await user.click(await screen.findByRole('link', { name: 'dump' }))
    await user.click((await screen.findAllByRole('button', { name: /^Delete/ }))[0] as HTMLElement)
    await user.click(screen.getByRole('button', { name: 'Delete version' }))
    await waitFor(() => expect(screen.getAllByRole('button', { name: /^Delete/ })).toHaveLength(1))
    await waitFor(() => expect(screen.getAllByText('latest')).toHaveLength(2))
    const asked = () => service.asked.filter((call) => call.includes('/names?')).length
    const before = asked()
    await user.click(screen.getByRole('link', { name: 'diagnostics' }))
    await waitFor(async () =>
      expect(within(await table()).getByRole('row', { name: /^dump/ }).textContent).toContain('1 B'),
    )
    await user.click(screen.getByRole('link', { name: 'dump' }))
    await user.click(await screen.findByRole('button', { name: /^Delete/ }))
    await user.click(screen.getByRole('button', { name: 'Delete version' }))
    await user.click(await screen.findByRole('link', { name: 'To the list' }))
    expect(await names()).toEqual(['other'])
    expect(asked()).toBe(before)
  })

  it('has no document any more that another person deleted, once its page was opened', async () => {
    const single = { type: 'audit-exports', name: 'may' }
    const { document: version } = await acme.put(single, new Uint8Array(1))
    await open('/tenants/acme/audit-exports')
    const link = await screen.findByRole('link', { name: 'may' })
    await acme.deleteVersion({ ...single, digest: version.digest })
    const user = userEvent.setup()
    await user.click(link)
    await user.click(await screen.findByRole('link', { name: 'To the list' }))
    await screen.findByText('No documents of this type yet')
  })
})

describe('Files that are added to a list', () => {
  const file = (name: string, path: string) => Object.assign(new File(['x'], name), { path })

  it('are refused together when two of them would become versions of one document', async () => {
    await open()
    await table()
    const input = screen.getByLabelText<HTMLInputElement>('Files to upload')
    const files = [file('config.yaml', '/eu/config.yaml'), file('config.yaml', '/us/config.yaml')]
    await userEvent.setup().upload(input, [...files, file('other.yaml', '/other.yaml')])
    const alert = await screen.findByRole('alert')
    expect(alert.textContent).toMatch(
      /^Nothing was added: 2 files are called config\.yaml \(eu\/config\.yaml, us\//,
    )
    expect(screen.queryByRole('region', { name: 'Transfers' }) === null).toBe(true)
    await userEvent.setup().upload(input, [file('uploaded.yaml', '/eu/uploaded.yaml')])
    await waitFor(async () => expect(await names()).toContain('uploaded.yaml'))
    expect(screen.queryByRole('alert') === null).toBe(true)
    await acme.deleteVersion({
      ...{ type, name: 'uploaded.yaml' },
      digest: (await acme.getTag({ type, name: 'uploaded.yaml' }, 'latest')).digest,
    })
  })
})

describe('A list without rows', () => {
  it('says that there are none yet, and how to begin', async () => {
    await open('/tenants/acme/snapshots')
    await screen.findByText('No documents of this type yet')
    expect(screen.queryByRole('table') === null).toBe(true)
  })

  it('says that no name begins so', async () => {
    await open(`/tenants/acme/${type}?prefix=zeta`)
    await screen.findByText('No name begins with “zeta”')
  })

  it('says so without asking where no name can begin so', async () => {
    service.asked.length = 0
    await open(`/tenants/acme/${type}?prefix=${encodeURIComponent('ä b')}`)
    await screen.findByText('No name begins with “ä b”')
    expect(service.asked.filter((call) => call.includes('namePrefix'))).toEqual([])
  })
})

describe('A list that is being read', () => {
  it('says so until it is there', async () => {
    const { promise, resolve } = Promise.withResolvers<null>()
    service.intercept = (request) =>
      request.url.includes('/documents') ? (promise as unknown as Promise<Response>) : null
    await open('/tenants/acme/definitions')
    expect(screen.getByText('Loading…').getAttribute('role')).toBe('status')
    resolve(null)
    await screen.findByText('No documents of this type yet')
    expect(screen.queryByText('Loading…') === null).toBe(true)
  })
})

describe('A list that cannot be read', () => {
  it('names the problem, what to do and the trace, and tries again', async () => {
    service.intercept = () =>
      Response.json(
        {
          title: 'The object store refused the call',
          detail: 'It said 400.',
          code: 'store_refused',
          status: 502,
        },
        { status: 400, headers: { 'content-type': 'application/problem+json' } },
      )
    await open(`/tenants/acme/${type}`)
    const alert = await screen.findByRole('alert')
    within(alert).getByText('The object store refused the call')
    within(alert).getByText('It said 400.')
    const trace = within(alert).getByRole('link', { name: /^Trace [0-9a-f]{32}$/ })
    expect(trace.getAttribute('href')).toMatch(/^https:\/\/traces\.example\.com\/[0-9a-f]{32}$/)
    within(alert).getByRole('button', { name: 'Copy trace id' })
    service.intercept = () => null
    await userEvent.setup().click(within(alert).getByRole('button', { name: 'Try again' }))
    await table()
    expect(screen.queryByRole('alert') === null).toBe(true)
  })

  it('is not asked for where the scope is missing, which is named', async () => {
    service.asked.length = 0
    await open(`/tenants/acme/${type}`, { scope: 'documents:write' })
    const text = screen.getByText(/^You may not list documents/)
    expect(text.textContent).toContain('documents:read')
    expect(service.asked.filter((call) => call.includes('/documents'))).toEqual([])
  })

  it('offers no upload to a person who may only read, and says why', async () => {
    await open(`/tenants/acme/${type}`, { scope: 'documents:read' })
    await table()
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Upload files' }).disabled).toBe(true)
    expect(screen.getByText(/^You may not upload documents/).textContent).toContain('documents:write')
  })
})
