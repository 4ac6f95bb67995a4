import { describe, expect, it } from 'bun:test'
import type { ReactElement } from 'react'
import { plain } from '../../../../service/ui/failures/failure.ts'
import type { DocumentRow, Sort } from '../../../../service/ui/listing/document-rows.ts'
import type { Session } from '../../../../service/ui/session/session.ts'
import type { Transfer } from '../../../../service/ui/transfers/transfer-list.ts'
import type { Document } from '../../../../service/wire/answers.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { expectStable } from '../../../support/ui/ui-stability.tsx'

const { render, screen, waitFor, within, userEvent } = await openDom()
const { VersionsTable } = await import('../../../../service/ui/document/versions-table.tsx')
const { DocumentTable } = await import('../../../../service/ui/listing/document-table.tsx')
const { NameField } = await import('../../../../service/ui/listing/name-field.tsx')
const { SessionContext } = await import('../../../../service/ui/session/use-session.ts')
const { TransferItem } = await import('../../../../service/ui/transfers/transfer-item.tsx')
const { SettingsContext } = await import('../../../../service/ui/settings.ts')

const nothing = () => undefined
const storeOrder: Sort = { column: 'name', descending: false }

function rows(count: number): DocumentRow[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{
      name: `document-${index}`,
      digest: `sha256:${'1'.repeat(64)}`,
      contentType: 'text/plain',
      size: index,
    },
    uploadedAt: '2026-11-25T10:00:00Z',
  }))
}

describe('DocumentTable', () => {
  const table = (given: DocumentRow[], complete = true, onEndNear: (() => void) | undefined = undefined) => (
    <DocumentTable
      {...{ tenant: 'acme', type: 'definitions', rows: given, complete, sort: storeOrder }}
      onSort={nothing}
      onEndNear={onEndNear}
    />
  )

  it('has few rows in the page however many there are, and says of how many', async () => {
    await expectStable(render, () => table(rows(100_000)))
    expect(screen.getAllByRole('row').length).toBeLessThan(200)
    expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('100001')
  })

  it('does not claim a number where more may come', async () => {
    await expectStable(render, () => table(rows(3), false))
    expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('-1')
  })

  it('tells when its end is near, and not while it is far', () => {
    let asked = 0
    render(table(rows(1000), false, () => asked++))
    expect(asked).toBe(0)
    render(table(rows(50), false, () => asked++))
    expect(asked).toBeGreaterThan(0)
  })

  it('keeps the rows that are there when more are read', () => {
    const { rerender } = render(table(rows(5), false))
    const first = screen.getByRole('link', { name: 'document-0' })
    rerender(table(rows(1000), true))
    expect(screen.getByRole('link', { name: 'document-0' }) === first).toBe(true)
  })
})

describe('NameField', () => {
  it('shows what the address says, and reports a change after a pause in typing', async () => {
    const changes: string[] = []
    await expectStable(render, () => (
      <NameField label="Name begins with" kept="al" keep={(text) => changes.push(text)} />
    ))
    const field = screen.getByRole<HTMLInputElement>('searchbox', { name: 'Name begins with' })
    expect(field.value).toBe('al')
    await userEvent.setup().type(field, 'pha ')
    await waitFor(() => expect(changes).toEqual(['alpha']))
  })
})

describe('VersionsTable', () => {
  const version: Document = {
    ...{ tenant: 'acme', type: 'definitions', name: 'orders.json', digest: `sha256:${'ab'.repeat(32)}` },
    ...{ size: 2048, contentType: 'application/json', createdBy: 'ada', tags: ['latest', 'production'] },
    createdAt: '2026-11-25T10:00:00Z',
  }
  const as = (scopes: string[], element: ReactElement) => (
    <SessionContext value={sessionOf(scopes)}>{element}</SessionContext>
  )
  const table = (selected: string | null = null) => (
    <VersionsTable
      {...{ label: 'Versions', document: version, versions: [version], selected, onAction: nothing }}
    />
  )
  const buttons = () => screen.getAllByRole('button').map((button) => button.getAttribute('aria-label'))

  it('has all actions for an admin, and the same document when it is rendered again', async () => {
    await expectStable(render, () => as(['documents:read', 'documents:write', 'documents:admin'], table()))
    expect(buttons()).toEqual([
      ...['Copy digest abababababab', 'Download abababababab', 'Preview abababababab'],
      ...['Set tag on abababababab', 'Delete abababababab'],
    ])
  })

  it('offers reading alone to a person who may only read', async () => {
    await expectStable(render, () => as(['documents:read'], table()))
    expect(buttons()).toEqual([
      ...['Copy digest abababababab', 'Download abababababab', 'Preview abababababab'],
    ])
  })
})

function sessionOf(scopes: string[]): Session {
  const state = { status: 'signed-in', principal: { subject: 'ada', tenants: ['acme'], scopes } } as const
  return { state: () => state, subscribe: () => nothing } as Partial<Session> as Session
}

describe('TransferItem', () => {
  const transfer: Transfer = {
    ...{ id: 'a', kind: 'upload', sizeBytes: 2000, status: 'waiting', progress: null, failure: null },
    ...{ detour: null, published: null, created: false, link: null },
    document: { tenant: 'acme', type: 'definitions', name: 'a.json' },
  }
  const actions = { cancel: nothing, retry: nothing, dismiss: nothing }
  const shown = async (changes: Partial<Transfer>) => {
    const settings = { issuer: 'i', clientId: 'c', audience: 'a', scope: 's', traceUrlTemplate: null }
    await expectStable(render, () => (
      <SettingsContext value={settings}>
        <ul>
          <TransferItem transfer={{ ...transfer, ...changes }} transfers={actions} />
        </ul>
      </SettingsContext>
    ))
    return within(screen.getByRole('group', { name: 'a.json' }))
  }
  const buttons = (item: Awaited<ReturnType<typeof shown>>) =>
    item.getAllByRole('button').map((button) => button.getAttribute('aria-label') ?? button.textContent)
  const halfway = { bytes: 1000, totalBytes: 2000 }

  it('waits, and can be cancelled', async () => {
    const item = await shown({})
    item.getByText('Waiting')
    expect(item.getByRole<HTMLProgressElement>('progressbar').getAttribute('value')).toBe('0')
    expect(buttons(item)).toEqual(['Cancel a.json'])
  })

  it.each<[string, Partial<Transfer>, string | RegExp, number | null]>([
    [
      'tells how far the digest is',
      { status: 'hashing', progress: { phase: 'hash', ...halfway } },
      'Computing the digest: 50 %, 1.0 kB of 2.0 kB',
      1000,
    ],
    [
      'tells how far the upload is',
      { status: 'sending', progress: { phase: 'send', ...halfway } },
      'Uploading: 50 %, 1.0 kB of 2.0 kB',
      1000,
    ],
    [
      'does not pretend to know how far the service is with verifying',
      { status: 'verifying', progress: { phase: 'verify', bytes: 0, totalBytes: 2000 } },
      'Verifying',
      null,
    ],
    [
      'tells how far a download is',
      { kind: 'download', status: 'receiving', progress: { phase: 'receive', ...halfway } },
      'Downloading and verifying: 50 %, 1.0 kB of 2.0 kB',
      1000,
    ],
    [
      'says that it waits for a sign-in',
      { status: 'waiting-for-sign-in', progress: { phase: 'send', ...halfway } },
      /^Waiting for sign-in/,
      1000,
    ],
  ])('%s', async (_title, changes, text, value) => {
    const item = await shown(changes)
    item.getByText(text)
    const bar = item.getByRole<HTMLProgressElement>('progressbar')
    expect([bar.hasAttribute('value'), bar.max]).toEqual([value !== null, value === null ? 1 : 2000])
    if (value !== null) expect(bar.value).toBe(value)
    expect(buttons(item)).toEqual(['Cancel a.json'])
  })

  it('is done, and leads to what was uploaded', async () => {
    const published: Document = {
      ...transfer.document,
      ...{ digest: `sha256:${'0'.repeat(64)}`, size: 2000, contentType: 'text/plain', tags: [] },
      ...{ createdAt: '2026-11-25T10:00:00Z', createdBy: 'ada' },
    }
    const item = await shown({ status: 'done', published, created: true })
    const link = item.getByRole('link', { name: 'Uploaded' })
    expect(link.getAttribute('href')).toBe(
      `/tenants/acme/definitions/a.json?version=sha256%3A${'0'.repeat(64)}`,
    )
    expect(buttons(item)).toEqual(['Dismiss a.json'])
  })

  it('has failed, says why, and can be retried', async () => {
    const item = await shown({ status: 'failed', failure: plain('busy', 'The service is busy', 'Wait.') })
    within(item.getByRole('alert')).getByText('The service is busy')
    expect(buttons(item)).toEqual(['Retry a.json', 'Dismiss a.json'])
  })

  it('was cancelled, and can be retried', async () => {
    const item = await shown({ status: 'cancelled' })
    item.getByText('Cancelled')
    expect(buttons(item)).toEqual(['Retry a.json', 'Dismiss a.json'])
  })

  it('hands over a download that is too large to be verified here, with the digest to compare', async () => {
    const link = { url: 'https://store.example.com/x?signature', digest: `sha256:${'cd'.repeat(32)}` }
    const item = await shown({ kind: 'download', status: 'done', link })
    const anchor = item.getByRole('link', { name: 'Save a.json from the store' })
    expect(anchor.getAttribute('rel')).toBe('noopener noreferrer')
    item.getByText('sha256sum')
    item.getByText('cd'.repeat(32))
    item.getByRole('button', { name: 'Copy digest of a.json' })
  })
})
