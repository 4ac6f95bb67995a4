import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { openPage } from '../../../support/ui/ui-page.ts'
import { type ServiceForUi, startServiceForUi } from '../../../support/ui/ui-service.ts'

const { render, screen, within, userEvent } = await openDom()

const address = '/tenants/acme/bundles/orders.json'
const api = '/v1/tenants/acme/documents/bundles/orders.json/history'
const [one, two] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]
const change = { tag: 'production', action: 'tag.put', by: 'alice', digest: one, previousDigest: null }
const pages: Record<string, object> = {
  [api]: {
    changes: [
      { ...change, action: 'tag.delete', at: '2026-11-23T12:00:00.000Z', digest: null, traceId: 'c' },
      {
        ...change,
        at: '2026-11-23T11:00:00.000Z',
        by: 'bob',
        digest: two,
        previousDigest: one,
        traceId: 'b',
      },
      { ...change, at: '2026-11-23T10:00:00.000Z', traceId: 'a' },
    ],
    since: '2026-11-23T10:00:00.001Z',
  },
  [`${api}?before=2026-11-23T10%3A00%3A00.001Z`]: {
    changes: [
      { ...change, at: '2026-11-23T10:00:00.000Z', traceId: 'a' },
      { ...change, tag: 'latest', action: 'document.put', at: '2026-11-23T09:00:00.000Z', traceId: '9' },
    ],
    since: '2026-10-24T10:00:00.000Z',
  },
  [`${api}?tag=staging`]: { changes: [], since: '2026-10-24T10:00:00.000Z' },
}

let service: ServiceForUi

beforeEach(async () => {
  service = await startServiceForUi()
  service.settings.hasHistory = true
  service.intercept = (request) => {
    const { pathname, search } = new URL(request.url)
    const page = request.method === 'GET' ? pages[`${pathname}${search}`] : undefined
    return page === undefined ? null : Response.json(page)
  }
})
afterEach(() => service.stop())

async function rows(): Promise<(string | null)[][]> {
  const table = await screen.findByRole('table', { name: 'Changes of tags' })
  return within(table)
    .getAllByRole('row')
    .slice(1)
    .map((row) =>
      within(row)
        .getAllByRole('cell')
        .map(({ textContent }) => textContent),
    )
    .map(([_when, ...others]) => others)
}

describe('The history of a document', () => {
  const newest = [
    ['alice', 'production', 'removed', 'not known'],
    ['bob', 'production', '2'.repeat(12), '1'.repeat(12)],
    ['alice', 'production', '1'.repeat(12), 'new tag'],
  ]

  it('shows who moved which tag from where to where, and loads what is older without repeating anything', async () => {
    await openPage(render, service, { path: `${address}/history` })
    expect(await rows()).toEqual(newest)
    await userEvent.setup().click(screen.getByRole('button', { name: 'Load earlier changes' }))
    await screen.findByText('by upload')
    expect(await rows()).toEqual([...newest, ['alice', 'latest', '1'.repeat(12), 'by upload']])
  })

  it('says for how long a tag was not moved', async () => {
    await openPage(render, service, { path: `${address}/history?tag=staging` })
    await screen.findByText(/No tag was moved since/)
    expect(screen.getByRole('link', { name: 'Show all tags' }).getAttribute('href')).toBe(
      `${address}/history`,
    )
  })

  it('is for admins alone', async () => {
    await openPage(render, service, { path: `${address}/history`, as: { scope: 'documents:read' } })
    await screen.findByText('documents:admin')
    expect(service.asked.filter((line) => line.includes('/history'))).toEqual([])
  })

  it('is offered to admins where the service can ask for it, and says when it cannot', async () => {
    const client = await service.client()
    await client.put({ type: 'bundles', name: 'orders.json' }, new TextEncoder().encode('1'))
    service.intercept = () => null
    const { unmount } = await openPage(render, service, { path: address })
    await userEvent.setup().click(await screen.findByRole('link', { name: 'History' }))
    await screen.findByText(/AUDIT_QUERY_URL/)
    unmount()
    service.settings.hasHistory = false
    await openPage(render, service, { path: address })
    await screen.findByRole('table', { name: 'Versions' })
    expect(screen.queryByRole('link', { name: 'History' }) === null).toBe(true)
  })
})
