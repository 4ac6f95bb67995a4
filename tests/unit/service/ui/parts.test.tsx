import { describe, expect, it } from 'bun:test'
import { type ReactElement, useEffect, useState } from 'react'
import { ConnectionError, ProblemError } from '../../../../service/client/errors.ts'
import { rejection } from '../../../support/client/client-service.ts'
import { openDom } from '../../../support/ui/ui-dom.ts'
import { expectStable } from '../../../support/ui/ui-stability.tsx'

const { render, screen, within, userEvent, act } = await openDom()
const { announce, Announcer } = await import('../../../../service/ui/parts/announcer.tsx')
const { Breadcrumb } = await import('../../../../service/ui/parts/breadcrumb.tsx')
const { CopyButton } = await import('../../../../service/ui/parts/copy-button.tsx')
const { Dialog } = await import('../../../../service/ui/parts/dialog.tsx')
const { Digest } = await import('../../../../service/ui/parts/digest.tsx')
const { ErrorBoundary } = await import('../../../../service/ui/parts/error-boundary.tsx')
const { ErrorNote } = await import('../../../../service/ui/parts/error-note.tsx')
const { Loading } = await import('../../../../service/ui/parts/loading.tsx')
const { MissingScope } = await import('../../../../service/ui/parts/missing-scope.tsx')
const { TagBadge } = await import('../../../../service/ui/parts/tag-badge.tsx')
const { ThemeButton } = await import('../../../../service/ui/parts/theme-button.tsx')
const { Time } = await import('../../../../service/ui/parts/time.tsx')
const { SettingsContext } = await import('../../../../service/ui/settings.ts')

const traceId = '0af7651916cd43dd8448eb211c80319c'
const ids = { correlationId: 'c', traceId }
const settings = { issuer: 'https://i', clientId: 'ui', audience: 'a', scope: 's', traceUrlTemplate: null }

function withSettings(element: ReactElement, traceUrlTemplate: string | null = null) {
  return <SettingsContext value={{ ...settings, traceUrlTemplate }}>{element}</SettingsContext>
}

const problem = new ProblemError(
  {
    ...{ code: 'busy', status: 503, title: 'The service is busy', detail: 'All slots are taken.' },
    ...{ retryAfterSeconds: 5, extensions: {} },
  },
  ids,
)

/** Other nodes with every rendering. */
function Recreated() {
  return <p key={Math.random()}>text</p>
}

/** Renders by itself without end. */
function Restless() {
  const [count, setCount] = useState(0)
  useEffect(() => {
    const timer = setTimeout(() => setCount(count + 1), 2)
    return () => clearTimeout(timer)
  }, [count])
  return <p>text</p>
}

function Broken(): ReactElement {
  throw new Error('This view is broken.')
}

describe('expectStable', () => {
  it('finds a component that recreates its elements, or renders without a cause', async () => {
    expect(await rejection(expectStable(render, () => <Recreated />))).toBeInstanceOf(Error)
    expect(await rejection(expectStable(render, () => <Restless />))).toBeInstanceOf(Error)
  })
})

describe('ErrorNote', () => {
  it('says what is wrong, what to do, and the trace, once rendered and again', async () => {
    await expectStable(render, () => withSettings(<ErrorNote error={problem} />))
    const alert = within(screen.getByRole('alert'))
    alert.getByText('The service is busy')
    alert.getByText('All slots are taken.')
    alert.getByText('Try again in a few seconds.')
    alert.getByText(traceId)
    expect(alert.queryByRole('link') === null).toBe(true)
    alert.getByRole('button', { name: 'Copy trace id' })
  })

  it('leads to the trace where traces can be looked at', async () => {
    await expectStable(render, () =>
      withSettings(<ErrorNote error={problem} />, 'https://t.example.com/{traceId}'),
    )
    const link = screen.getByRole('link', { name: `Trace ${traceId}` })
    expect(link.getAttribute('href')).toBe(`https://t.example.com/${traceId}`)
    expect(link.getAttribute('rel')).toContain('noopener')
  })

  it('has the trace also where there was no answer', async () => {
    const silence = new ConnectionError('https://documents.example.com', 'unknown', ids)
    await expectStable(render, () => withSettings(<ErrorNote error={silence} />))
    screen.getByText('The document service does not answer')
    screen.getByText(traceId)
  })

  it('offers what can be done from here', async () => {
    await expectStable(render, () =>
      withSettings(
        <ErrorNote error={new Error('Boom')}>
          <button type="button">Try again</button>
        </ErrorNote>,
      ),
    )
    within(screen.getByRole('alert')).getByRole('button', { name: 'Try again' })
    screen.getByText('Boom')
  })
})

describe('ErrorBoundary', () => {
  it('shows what a view threw, and gives the next view a chance', () => {
    const quiet = console.error
    console.error = () => undefined
    const view = (name: string, child: ReactElement) =>
      withSettings(<ErrorBoundary view={name}>{child}</ErrorBoundary>)
    const { rerender } = render(view('a', <Broken />))
    within(within(screen.getByRole('main')).getByRole('alert')).getByText('This view is broken.')
    rerender(view('b', <p>Another view</p>))
    screen.getByText('Another view')
    console.error = quiet
  })
})

describe('Dialog', () => {
  it('is named by its title, modal, and stays as it is', async () => {
    await expectStable(render, () => (
      <Dialog title="Are you sure?" onClose={() => undefined}>
        <button type="button">Yes</button>
      </Dialog>
    ))
    const dialog = screen.getByRole<HTMLDialogElement>('dialog', { name: 'Are you sure?' })
    expect(dialog.open).toBe(true)
    within(dialog).getByRole('button', { name: 'Yes' })
  })

  it('is left by Escape where it may be, and not where it may not', () => {
    let closed = 0
    const { rerender } = render(
      <Dialog title="A" onClose={() => closed++}>
        Text
      </Dialog>,
    )
    const cancel = () => {
      const event = new Event('cancel', { cancelable: true })
      act(() => void screen.getByRole('dialog').dispatchEvent(event))
      return event.defaultPrevented
    }
    expect(cancel()).toBe(true)
    expect(closed).toBe(1)
    rerender(<Dialog title="A">Text</Dialog>)
    expect(cancel()).toBe(true)
    expect(closed).toBe(1)
  })

  it('comes back where the browser closes it although it cannot be left, as at a second Escape', () => {
    render(<Dialog title="A">Text</Dialog>)
    const dialog = screen.getByRole<HTMLDialogElement>('dialog')
    act(() => dialog.close())
    expect(dialog.open).toBe(true)
  })

  it('notices that the browser closes it by itself', () => {
    let closed = 0
    render(
      <Dialog title="A" onClose={() => closed++}>
        Text
      </Dialog>,
    )
    act(() => screen.getByRole<HTMLDialogElement>('dialog').close())
    expect(closed).toBe(1)
  })

  it('does not take its own end for a close by the person', () => {
    let closed = 0
    const { unmount } = render(
      <Dialog title="A" onClose={() => closed++}>
        Text
      </Dialog>,
    )
    unmount()
    expect(closed).toBe(0)
  })

  it('gives the focus back to what had it', () => {
    const { rerender } = render(<button type="button">Open</button>)
    const button = screen.getByRole('button', { name: 'Open' })
    button.focus()
    const withDialog = (
      <>
        <button type="button">Open</button>
        <Dialog title="A">Text</Dialog>
      </>
    )
    rerender(withDialog)
    rerender(<button type="button">Open</button>)
    expect((document.activeElement as HTMLElement).textContent).toBe('Open')
  })
})

describe('CopyButton', () => {
  it('copies, and says that it did', async () => {
    const user = userEvent.setup()
    await expectStable(render, () => (
      <>
        <CopyButton text="sha256:0f" label="Copy digest 0f" />
        <Announcer />
      </>
    ))
    await user.click(screen.getByRole('button', { name: 'Copy digest 0f' }))
    expect(await navigator.clipboard.readText()).toBe('sha256:0f')
    await screen.findByText('Copied')
  })
})

describe('Announcer', () => {
  it('has what was said last in a polite live region, also when it is said twice', async () => {
    await expectStable(render, () => <Announcer />)
    act(() => announce('1 file added'))
    const region = screen.getByText('1 file added')
    expect(region.getAttribute('aria-live')).toBe('polite')
    act(() => announce('1 file added'))
    expect(region.textContent).not.toBe('1 file added')
    expect(region.textContent?.trim()).toBe('1 file added')
  })
})

describe('Breadcrumb', () => {
  it('says where one is, and leads back up', async () => {
    await expectStable(render, () => (
      <Breadcrumb crumbs={[{ text: 'acme', href: '/tenants/acme' }, { text: 'definitions' }]} />
    ))
    const trail = within(screen.getByRole('navigation', { name: 'Breadcrumb' }))
    expect(trail.getByRole('link', { name: 'acme' }).getAttribute('href')).toBe('/tenants/acme')
    expect(trail.getByText('definitions').getAttribute('aria-current')).toBe('page')
  })
})

describe('small parts', () => {
  it('say that something is loaded', async () => {
    await expectStable(render, () => <Loading />)
    expect(screen.getByRole('status').textContent).toBe('Loading…')
  })

  it('name the scope that is missing', async () => {
    await expectStable(render, () => <MissingScope what="upload documents" scope="documents:write" />)
    expect(screen.getByText(/^You may not upload documents/).textContent).toContain('documents:write')
  })

  it('shorten a digest and keep all of it at hand', async () => {
    await expectStable(render, () => <Digest digest={`sha256:${'ab'.repeat(32)}`} />)
    expect(screen.getByText('abababababab').getAttribute('title')).toBe(`sha256:${'ab'.repeat(32)}`)
  })

  it('show a time for people and for machines, and what is no time as it is', async () => {
    await expectStable(render, () => <Time value="2026-11-25T10:00:00Z" />)
    expect(document.querySelector('time')?.dateTime).toBe('2026-11-25T10:00:00Z')
    await expectStable(render, () => <Time value="soon" />)
    screen.getByText('soon')
  })

  it('tell tags that people move from the one that uploads move', async () => {
    await expectStable(render, () => <TagBadge tag="production" />)
    await expectStable(render, () => <TagBadge tag="latest" />)
    expect(screen.getByText('production').className).not.toBe(screen.getByText('latest').className)
  })

  it('say which theme is chosen', async () => {
    await expectStable(render, () => <ThemeButton />)
    screen.getByRole('button', { name: 'Theme: system' })
  })
})
