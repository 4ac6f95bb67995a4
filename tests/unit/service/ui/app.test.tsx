import { afterEach, describe, expect, it } from 'bun:test'
import { stoppedAfterTests } from '../../../support/stop-at-the-end.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { openPage } from '../../../support/ui/ui-page.ts'
import { startServiceForUi } from '../../../support/ui/ui-service.ts'

const { render, screen, within, waitFor, userEvent, act } = await openDom()

const service = stoppedAfterTests(await startServiceForUi())
const acme = await service.client()
await acme.put({ type: 'definitions', name: 'orders.json' }, new TextEncoder().encode('{}'))
await acme.put({ type: 'invoices', name: 'may.pdf' }, new Uint8Array(10))
afterEach(() => {
  service.intercept = () => null
})

async function open(path: string, as = {}) {
  const page = await openPage(render, service, { path, as })
  return { ...page, user: userEvent.setup() }
}

async function heading(name: string): Promise<HTMLElement> {
  return screen.findByRole('heading', { level: 1, name })
}

describe('The address', () => {
  it('/ leads to the only tenant', async () => {
    await open('/', { tenants: ['acme'] })
    await heading('Documents')
    expect(location.pathname).toBe('/tenants/acme')
  })

  it('/ lets choose among several tenants', async () => {
    const { user } = await open('/', { tenants: ['acme', 'globex'] })
    await heading('Tenants')
    await user.click(within(screen.getByRole('main')).getByRole('link', { name: 'globex' }))
    expect(location.pathname).toBe('/tenants/globex')
  })

  it('/ says so where the sign-in names no tenant', async () => {
    await open('/', { tenants: [] })
    screen.getByText(/^You have no access to any tenant/)
  })

  it('/tenants/acme leads to the types that have documents, and to any other', async () => {
    const { user } = await open('/tenants/acme')
    await heading('Documents')
    const types = within(await screen.findByRole('navigation', { name: 'Document types' }))
    expect(types.getAllByRole('link').map(({ textContent }) => textContent)).toEqual([
      'definitions',
      'invoices',
    ])
    await user.type(screen.getByRole('textbox', { name: 'Other or new type' }), 'Not A Type')
    await user.click(screen.getByRole('button', { name: 'Open' }))
    expect(screen.getByRole('alert').textContent).toMatch(/^A type begins with/)
    await user.clear(screen.getByRole('textbox', { name: 'Other or new type' }))
    await user.type(screen.getByRole('textbox', { name: 'Other or new type' }), 'receipts{Enter}')
    await heading('receipts')
    expect(location.pathname).toBe('/tenants/acme/receipts')
  })

  it('/tenants/globex says that a tenant without documents has none, and how to begin', async () => {
    await open('/tenants/globex')
    await screen.findByText('This tenant has no documents yet')
    expect(screen.queryByRole('navigation', { name: 'Document types' }) === null).toBe(true)
  })

  it('/tenants/initech leads to its types page by page', async () => {
    const initech = await service.client('initech')
    for (let index = 100; index < 201; index++)
      await initech.put({ type: `type-${index}`, name: 'a' }, new Uint8Array(1))
    const { user } = await open('/tenants/initech', { tenants: ['initech'] })
    await screen.findByRole('link', { name: 'type-199' })
    expect(screen.queryByRole('link', { name: 'type-200' }) === null).toBe(true)
    await user.click(screen.getByRole('button', { name: 'Load more types' }))
    await screen.findByRole('link', { name: 'type-200' })
    expect(screen.queryByRole('button', { name: 'Load more types' }) === null).toBe(true)
  })

  it('/tenants/acme says why its types cannot be read, and tries again', async () => {
    const body = { title: 'The object store refused the call', detail: 'It said 400.', code: 'store_refused' }
    const headers = { 'content-type': 'application/problem+json' }
    service.intercept = () => Response.json(body, { status: 400, headers })
    const { user } = await open('/tenants/acme')
    const alert = await screen.findByRole('alert')
    within(alert).getByText(body.title)
    service.intercept = () => null
    await user.click(within(alert).getByRole('button', { name: 'Try again' }))
    await screen.findByRole('link', { name: 'definitions' })
  })

  it('/tenants/acme/definitions/orders.json leads to the document, with the way back up', async () => {
    const { user } = await open('/tenants/acme/definitions/orders.json')
    await heading('orders.json')
    const up = within(screen.getByRole('navigation', { name: 'Breadcrumb' }))
    expect(up.getByText('orders.json').getAttribute('aria-current')).toBe('page')
    await user.click(up.getByRole('link', { name: 'definitions' }))
    await heading('definitions')
  })

  it('says that there is nothing at an address that is not one of the UI, or has a malformed part', async () => {
    await open('/nowhere')
    await heading('There is nothing at this address')
    act(() => history.pushState(null, '', '/tenants/acme/Not-A-Type'))
    await heading('There is nothing at this address')
  })

  it('shows nothing of another tenant and requests nothing of it', async () => {
    service.asked.length = 0
    await open('/tenants/globex/definitions/orders.json', { tenants: ['acme'] })
    screen.getByText('You have no access to this tenant')
    expect(service.asked.filter((call) => call.includes('globex'))).toEqual([])
  })
})

describe('A view', () => {
  it('names itself in the window, and takes the focus for readers of the screen', async () => {
    const { user } = await open('/tenants/acme')
    await user.click(await screen.findByRole('link', { name: 'definitions' }))
    const shown = await heading('definitions')
    expect(document.title).toBe('definitions of acme · Documents')
    expect(document.activeElement === shown).toBe(true)
  })

  it('is left and returned to by the buttons of the browser', async () => {
    const { user } = await open('/tenants/acme')
    await user.click(await screen.findByRole('link', { name: 'definitions' }))
    await user.click(await screen.findByRole('link', { name: 'orders.json' }))
    await heading('orders.json')
    act(() => history.back())
    await heading('definitions')
  })

  it('does not let the browser open a file that is dropped outside the drop area', async () => {
    await open('/tenants/acme')
    await heading('Documents')
    const drop = new Event('drop', { bubbles: true, cancelable: true })
    document.body.dispatchEvent(drop)
    expect(drop.defaultPrevented).toBe(true)
  })

  it('follows the choice of another tenant', async () => {
    const { user } = await open('/tenants/acme/definitions')
    await user.selectOptions(screen.getByRole('combobox', { name: 'Tenant' }), 'globex')
    expect(location.pathname).toBe('/tenants/globex')
  })

  it('says while the browser is offline that it is', async () => {
    await open('/tenants/acme')
    const online = Object.getOwnPropertyDescriptor(navigator, 'onLine')
    Object.defineProperty(navigator, 'onLine', { value: false, configurable: true })
    act(() => void dispatchEvent(new Event('offline')))
    expect(screen.getByText('You are offline').getAttribute('role')).toBe('status')
    if (online) Object.defineProperty(navigator, 'onLine', online)
    else Reflect.deleteProperty(navigator, 'onLine')
    act(() => void dispatchEvent(new Event('online')))
    expect(screen.queryByText('You are offline') === null).toBe(true)
  })

  it('is light or dark as the person chooses, otherwise as the system is', async () => {
    const { user } = await open('/tenants/acme')
    await user.click(screen.getByRole('button', { name: 'Theme: system' }))
    expect(document.documentElement.dataset.theme).toBe('light')
    await user.click(screen.getByRole('button', { name: 'Theme: light' }))
    expect(document.documentElement.dataset.theme).toBe('dark')
    await user.click(screen.getByRole('button', { name: 'Theme: dark' }))
    expect(document.documentElement.dataset.theme).toBeUndefined()
  })
})

describe('Without a session', () => {
  it('every address asks to sign in, and leads on to where it was meant to', async () => {
    await openPage(render, service, { path: '/tenants/acme/definitions', as: null })
    const user = userEvent.setup()
    await heading('Sign in')
    await screen.findByText('bun run link')
    const code = await service.issuer.signInCode()
    const field = await screen.findByRole('textbox', { name: 'Sign-in link' })
    field.focus()
    await user.paste(`${service.origin}/#sign-in=${code}`)
    await user.click(screen.getByRole('button', { name: 'Use link' }))
    await heading('definitions')
  })

  it('says what is wrong with a link, and lets try another', async () => {
    await openPage(render, service, { as: null })
    const user = userEvent.setup()
    const field = await screen.findByRole('textbox', { name: 'Sign-in link' })
    await user.type(field, 'https://example.com/')
    await user.click(screen.getByRole('button', { name: 'Use link' }))
    within(screen.getByRole('alert')).getByText('This is not a sign-in link')
    await user.clear(field)
    await user.type(field, '#sign-in=used-before')
    await user.click(screen.getByRole('button', { name: 'Use link' }))
    await screen.findByText('This is no longer valid')
  })

  it('a code that was used before says so at once', async () => {
    const { session } = await openPage(render, service, { as: null })
    await act(() => session.start('used-before'))
    await screen.findByText('This is no longer valid')
  })
})

describe('A session that has ended', () => {
  it('is begun again over the page, which stays as it was', async () => {
    const { session, user } = await open('/tenants/acme/definitions?prefix=orders')
    await screen.findByRole('link', { name: 'orders.json' })
    sessionStorage.setItem(storedKey(), withoutRefresh())
    session.refuse(await session.accessToken())
    void session.accessToken().catch(() => undefined)
    const dialog = await screen.findByRole('dialog', { name: 'Session ended' })
    screen.getByText('The only document whose name begins with “orders”')
    const code = await service.issuer.signInCode()
    const field = await within(dialog).findByRole('textbox', { name: 'Sign-in link' })
    field.focus()
    await user.paste(`#sign-in=${code}`)
    await user.click(within(dialog).getByRole('button', { name: 'Use link' }))
    await waitFor(() => expect(screen.queryByRole('dialog') === null).toBe(true))
    expect(location.search).toBe('?prefix=orders')
  })
})

describe('Another person who signs in', () => {
  it('finds nothing that the previous one had open', async () => {
    const { session, user } = await open('/tenants/acme/definitions/orders.json')
    await user.click(await screen.findByRole('button', { name: /^Download / }))
    screen.getByText(/^Download of orders.json added/)
    await user.click(screen.getByRole('button', { name: /^Delete / }))
    screen.getByRole('dialog', { name: 'Delete this version?' })
    await act(async () => session.acceptLink(await service.issuer.signInCode({ subject: 'bob' })))
    await heading('orders.json')
    await screen.findByTitle('Signed in as bob')
    await screen.findByRole('table', { name: 'Versions' })
    expect(screen.queryByRole('dialog') === null).toBe(true)
    expect(screen.queryByText(/^Download of/) === null).toBe(true)
  })
})

describe('A new view', () => {
  it('begins at its top, also where a browser does not name the entries of its history', async () => {
    const scrolled: unknown[] = []
    const scroll = globalThis.scrollTo
    globalThis.scrollTo = (...given: unknown[]) => void scrolled.push(given[1])
    Object.defineProperty(globalThis, 'scrollY', { value: 700, configurable: true, writable: true })
    const { user } = await open('/tenants/acme')
    await user.click(await screen.findByRole('link', { name: 'definitions' }))
    await heading('definitions')
    expect(scrolled.at(-1)).toBe(0)
    globalThis.scrollTo = scroll
    Object.defineProperty(globalThis, 'scrollY', { value: 0, configurable: true, writable: true })
  })
})

function storedKey(): string {
  return Object.keys(sessionStorage).find((key) => key.startsWith('oidc.user:')) ?? ''
}

/** As a browser that has lost the refresh token. */
function withoutRefresh(): string {
  const { refresh_token: _, ...user } = JSON.parse(sessionStorage.getItem(storedKey()) ?? '{}')
  return JSON.stringify(user)
}
