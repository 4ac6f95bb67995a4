import { createRoot } from 'react-dom/client'
import { plain } from './failures/failure.ts'
import { FailureNote } from './parts/error-note.tsx'
import { chosenTheme, showTheme } from './parts/theme-button.tsx'
import { patterns } from './routes.ts'
import { takeSignInCode } from './session/sign-in-link.ts'
import { readSettings } from './settings.ts'
import { createUi } from './ui.tsx'

/** Where the program of the worker is; put in when the UI is built. */
declare const transferWorkerUrl: string

// Before anything else: the code is to be in the address bar for as short as can be.
const code = takeSignInCode(location, history)
showTheme(chosenTheme())
const element = document.getElementById('root')
if (element === null) throw new Error('The page has no place for the UI.')
const root = createRoot(element)

void begin()

async function begin(): Promise<void> {
  if (!isSecureContext) {
    const detail = 'Signing in and computing digests need https, or a local address such as localhost.'
    return fail('This address is not secure enough', detail)
  }
  try {
    await show()
  } catch (error) {
    fail('The page cannot start', error instanceof Error ? error.message : '')
  }
}

async function show(): Promise<void> {
  const [{ createOidcIssuer }, settings] = await Promise.all([
    import('./session/oidc-issuer.ts'),
    readSettings((url) => fetch(url)),
  ])
  const { session, element } = createUi({
    settings,
    origin: location.origin,
    issuer: createOidcIssuer(settings, location.origin, sessionStorage),
    createWorker: () => new Worker(transferWorkerUrl, { type: 'module' }),
    save: saveBlob,
  })
  // There, the answer of the issuer begins the session.
  if (location.pathname !== patterns.signInCallback) void session.start(code)
  // A link that is opened while the page is shown changes the fragment alone.
  addEventListener('hashchange', () => {
    const next = takeSignInCode(location, history)
    if (next !== null) void session.start(next)
  })
  root.render(element)
}

function fail(title: string, detail: string): void {
  root.render(
    <main className="sign-in">
      <FailureNote failure={plain('page_failed', title, detail)} onRetry={() => location.reload()} />
    </main>,
  )
}

/** How long a browser may take to begin saving a Blob. */
const releaseAfterMs = 60_000

/** Saves bytes as a file. They are never shown in the origin of this page: no browser opens their type. */
function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(url), releaseAfterMs)
}
