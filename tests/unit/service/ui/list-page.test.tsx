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
  it('has a row for each name, with versions, size and time', async () => {
    await open()
    expect(await names()).toEqual(['alpha.json', 'alpha.tgz', 'beta.tgz', 'gamma.tgz'])
    const row = within(await table()).getByRole('row', { name: /^alpha\.json/ })
    const cells = within(row)
      .getAllByRole('cell')
      .map(({ textContent }) => textContent)
    expect(cells.slice(0, 3)).toEqual(['alpha.json', '2', '10 B'])
    expect(within(row).getByRole('link').getAttribute('href')).toBe(`/tenants/acme/${type}/alpha.json`)
  })

  it('says how many of how many it shows', async () => {
    await open(`/tenants/acme/${type}?filter=tgz`)
    await waitFor(() => screen.getByText(/^3 of the first 4 documents/))
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

  it('takes over what the address says after going back', async () => {
    await open(`/tenants/acme/${type}?filter=beta`)
    const filter = screen.getByRole<HTMLInputElement>('textbox', { name: 'Filter loaded names' })
    expect(filter.value).toBe('beta')
    act(() => history.pushState(null, '', `/tenants/acme/${type}?filter=gamma`))
    expect(filter.value).toBe('gamma')
    expect(await names()).toEqual(['gamma.tgz'])
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

  it('says that none matches the filter', async () => {
    await open(`/tenants/acme/${type}?filter=zeta`)
    await screen.findByText('None of the loaded names matches the filter')
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
