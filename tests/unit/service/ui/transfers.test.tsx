import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { openPage, workerInProcess } from '../../../support/ui/ui-page.ts'
import { type ServiceForUi, startServiceForUi } from '../../../support/ui/ui-service.ts'

const { render, screen, within, waitFor, userEvent, fireEvent, act } = await openDom()

const type = 'deployment-bundles'
let service: ServiceForUi

beforeEach(async () => {
  service = await startServiceForUi()
})
afterEach(() => service.stop())

async function open(as = {}) {
  const page = await openPage(render, service, { path: `/tenants/acme/${type}`, as })
  return { ...page, user: userEvent.setup() }
}

function file(name: string, text = name): File {
  return new File([text], name, { type: 'text/plain' })
}

/** As a person who chooses files does. */
async function choose(...files: File[]): Promise<void> {
  fireEvent.change(screen.getByLabelText('Files to upload'), { target: { files } })
  await screen.findByRole('region', { name: 'Transfers' })
}

function item(name: string) {
  return within(screen.getByRole('group', { name }))
}

/** Uploads wait here until the test lets them continue. */
function holdUploads() {
  const { promise, resolve } = Promise.withResolvers<null>()
  let held = 0
  service.intercept = (request) => {
    if (request.method !== 'PUT') return null
    held++
    return promise as unknown as Promise<Response>
  }
  return { letGo: () => resolve(null), held: () => held }
}

describe('Uploading', () => {
  it('shows each file until it is published, and then in the list', async () => {
    const { user } = await open()
    await screen.findByText('No documents of this type yet')
    await choose(file('a.txt'), file('b.txt'))
    await waitFor(() => item('a.txt').getByRole('link', { name: 'Uploaded' }))
    await waitFor(() => item('b.txt').getByRole('link', { name: 'Uploaded' }))
    const table = screen.getByRole('table', { name: 'Documents' })
    expect(
      within(table)
        .getAllByRole('link')
        .map(({ textContent }) => textContent),
    ).toEqual(['a.txt', 'b.txt'])
    const acme = await service.client()
    const { bytes } = await acme.getBytes({ type, name: 'b.txt' })
    expect(new TextDecoder().decode(bytes)).toBe('b.txt')
    await user.click(screen.getByRole('button', { name: 'Dismiss a.txt' }))
    expect(screen.queryByRole('group', { name: 'a.txt' }) === null).toBe(true)
  })

  it('says that a file was there already', async () => {
    const acme = await service.client()
    await acme.put({ type, name: 'a.txt' }, new TextEncoder().encode('same'))
    await open()
    await choose(file('a.txt', 'same'))
    await waitFor(() => item('a.txt').getByRole('link', { name: 'Was there already' }))
  })

  it('sends two at once, and lets the others wait', async () => {
    const held = holdUploads()
    await open()
    await choose(file('a.txt'), file('b.txt'), file('c.txt'))
    await waitFor(() => expect(held.held()).toBe(2))
    item('c.txt').getByText('Waiting')
    expect(item('a.txt').getByRole('progressbar').getAttribute('aria-label')).toBe('Progress of a.txt')
    held.letGo()
    await waitFor(() => item('c.txt').getByRole('link', { name: 'Uploaded' }))
  })

  it('is cancelled by a click, and begun again by another', async () => {
    const held = holdUploads()
    const { user } = await open()
    await choose(file('a.txt'))
    await waitFor(() => expect(held.held()).toBe(1))
    await user.click(screen.getByRole('button', { name: 'Cancel a.txt' }))
    item('a.txt').getByText('Cancelled')
    service.intercept = () => null
    await user.click(screen.getByRole('button', { name: 'Retry a.txt' }))
    await waitFor(() => item('a.txt').getByRole('link', { name: 'Uploaded' }))
    held.letGo()
  })

  it('shows why it failed with the trace of all its calls, and tries again', async () => {
    const traces = new Set<string | undefined>()
    service.intercept = (request) => {
      if (request.method !== 'PUT') return null
      traces.add(request.headers.get('traceparent')?.split('-')[1])
      const problem = {
        title: 'The document is too large',
        detail: 'At most 5 bytes.',
        code: 'document_too_large',
      }
      return Response.json(problem, { status: 413, headers: { 'content-type': 'application/problem+json' } })
    }
    const { user } = await open()
    await choose(file('a.txt'))
    const alert = await waitFor(() => item('a.txt').getByRole('alert'))
    within(alert).getByText('The document is too large')
    expect(within(alert).getByText(/^[0-9a-f]{32}$/).textContent).toBe([...traces][0] ?? '')
    service.intercept = () => null
    await user.click(screen.getByRole('button', { name: 'Retry a.txt' }))
    await waitFor(() => item('a.txt').getByRole('link', { name: 'Uploaded' }))
  })

  it('refuses a name that no document can have, and offers the nearest one', async () => {
    const { user } = await open()
    await choose(file('My report (1).txt'))
    item('My report (1).txt').getByText('This name cannot be used')
    await user.click(screen.getByRole('button', { name: 'Upload as My-report-1.txt' }))
    await waitFor(() => item('My-report-1.txt').getByRole('link', { name: 'Uploaded' }))
  })

  it('does not begin with a file that is too large', async () => {
    service.settings = { ...service.settings, documentBytesMax: 3 }
    service.asked.length = 0
    await open()
    await choose(file('a.txt', 'four'))
    item('a.txt').getByText('It has 4 B; documents may have 3 B.')
    expect(service.asked.filter((call) => call.startsWith('PUT'))).toEqual([])
  })

  it('asks before the tab is closed while something runs, and not afterwards', async () => {
    const held = holdUploads()
    await open()
    const isAsked = () => {
      const event = new Event('beforeunload', { cancelable: true })
      dispatchEvent(event)
      return event.defaultPrevented
    }
    expect(isAsked()).toBe(false)
    await choose(file('a.txt'))
    expect(isAsked()).toBe(true)
    held.letGo()
    await waitFor(() => item('a.txt').getByRole('link', { name: 'Uploaded' }))
    expect(isAsked()).toBe(false)
  })
})

describe('Transfers whose program falls', () => {
  it('fail all together, and none continues unseen', async () => {
    const held = holdUploads()
    const workers: ReturnType<typeof workerInProcess>[] = []
    const createWorker = () => {
      const worker = workerInProcess()
      workers.push(worker)
      return worker
    }
    await openPage(render, service, { path: `/tenants/acme/${type}`, createWorker })
    await choose(file('a.txt'), file('b.txt'), file('c.txt'))
    await waitFor(() => expect(held.held()).toBe(2))
    act(() => workers[0]?.onerror?.(new Event('error') as ErrorEvent))
    for (const name of ['a.txt', 'b.txt', 'c.txt']) item(name).getByText('Transfers are not available')
    expect(workers).toHaveLength(1)
    held.letGo()
  })
})

describe('A transfer whose session ends', () => {
  it('waits until the person signs in again, and continues', async () => {
    const { session, user } = await open()
    forgetRefreshToken()
    session.refuse(await session.accessToken())
    await choose(file('a.txt'))
    await waitFor(() => item('a.txt').getByText('Waiting for sign-in'))
    const dialog = await screen.findByRole('dialog', { name: 'Session ended' })
    ;(await within(dialog).findByRole('textbox', { name: 'Sign-in link' })).focus()
    await user.paste(`#sign-in=${await service.issuer.signInCode()}`)
    await user.click(within(dialog).getByRole('button', { name: 'Use link' }))
    await waitFor(() => item('a.txt').getByRole('link', { name: 'Uploaded' }))
    const acme = await service.client()
    const versions = await acme.versionsPage({ type, name: 'a.txt' })
    expect(versions.rows.map(({ createdBy }) => createdBy)).toEqual(['alice'])
  })

  it('is dropped if someone else signs in, and publishes nothing as them', async () => {
    const { session, user } = await open()
    forgetRefreshToken()
    session.refuse(await session.accessToken())
    await choose(file('a.txt'))
    const dialog = await screen.findByRole('dialog', { name: 'Session ended' })
    ;(await within(dialog).findByRole('textbox', { name: 'Sign-in link' })).focus()
    await user.paste(`#sign-in=${await service.issuer.signInCode({ subject: 'bob' })}`)
    await user.click(within(dialog).getByRole('button', { name: 'Use link' }))
    await waitFor(() => expect(screen.queryByRole('region', { name: 'Transfers' }) === null).toBe(true))
    await screen.findByText('No documents of this type yet')
    expect(service.asked.filter((call) => call.startsWith('PUT'))).toEqual([])
  })
})

/** As where the issuer has ended the session. */
function forgetRefreshToken(): void {
  const key = Object.keys(sessionStorage).find((one) => one.startsWith('oidc.user:')) ?? ''
  const { refresh_token: _, ...user } = JSON.parse(sessionStorage.getItem(key) ?? '{}')
  sessionStorage.setItem(key, JSON.stringify(user))
}

describe('A download that is too large to be verified here', () => {
  it('is handed over as a link to the store, with the digest to compare', async () => {
    const acme = await service.client()
    const { document } = await acme.put({ type, name: 'a.txt' }, new TextEncoder().encode('abc'))
    const { transfers, saved } = await open()
    transfers.download({ tenant: 'acme', type, name: 'a.txt' }, document.digest, 1024 ** 3 + 1)
    const link = await screen.findByRole('link', { name: 'Save a.txt from the store' })
    expect(link.getAttribute('href')).toStartWith(`${service.origin}/store?key=`)
    item('a.txt').getByText(document.digest.replace('sha256:', ''))
    expect(saved).toEqual([])
  })
})

describe('Uploading straight to the store', () => {
  it('publishes what was sent there', async () => {
    service.settings = { ...service.settings, ticketBytesMin: 1 }
    await open()
    await choose(file('a.txt'))
    await waitFor(() => item('a.txt').getByRole('link', { name: 'Uploaded' }))
    expect(service.asked).toContain('POST /store')
    expect(screen.queryByText(/through the service/) === null).toBe(true)
  })

  it.each([
    ['none', 'the store supports no secure direct uploads'],
    ['unknown', 'it has just started, and does not know yet what the store can do'],
  ] as const)(
    'goes through the service while its way to the store is "%s", and says why',
    async (ticketMethod, why) => {
      service.settings = { ...service.settings, ticketBytesMin: 1 }
      service.capabilities = { ...service.capabilities, ticketMethod }
      await open()
      await choose(file('a.txt'))
      await waitFor(() => item('a.txt').getByText(new RegExp(`through the service: ${why}`)))
    },
  )
})

describe('Signing out', () => {
  it('asks first while something runs, and stops it', async () => {
    const held = holdUploads()
    const { user } = await open()
    await choose(file('a.txt'))
    await waitFor(() => expect(held.held()).toBe(1))
    await user.click(screen.getByRole('button', { name: 'Sign out' }))
    const dialog = screen.getByRole('dialog', { name: 'Sign out and stop transfers?' })
    await user.click(within(dialog).getByRole('button', { name: 'Stay' }))
    screen.getByRole('group', { name: 'a.txt' })
    await user.click(screen.getByRole('button', { name: 'Sign out' }))
    await user.click(screen.getByRole('button', { name: 'Sign out and stop them' }))
    await screen.findByRole('heading', { name: 'Sign in' })
    expect(screen.queryByRole('region', { name: 'Transfers' }) === null).toBe(true)
    expect(Object.keys(sessionStorage).filter((key) => key.startsWith('oidc.'))).toEqual([])
    held.letGo()
  })
})
