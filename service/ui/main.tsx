import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { documentsCall } from './calls/documents-call.ts'
import { queryOptions } from './calls/query-options.ts'
import { DocumentsCallContext } from './calls/use-documents-call.ts'
import { reloadVersions } from './document/use-versions.ts'
import { plain } from './failures/failure.ts'
import { addToListings } from './listing/use-listing.ts'
import { FailureNote } from './parts/error-note.tsx'
import { chosenTheme, showTheme } from './parts/theme-button.tsx'
import { patterns } from './routes.ts'
import { createSession } from './session/session.ts'
import { takeSignInCode } from './session/sign-in-link.ts'
import { SessionContext } from './session/use-session.ts'
import { IssuerContext } from './session/use-sign-in-way.ts'
import { readSettings } from './settings.ts'
import { saveBlob } from './transfers/save-blob.ts'
import { createTransfers } from './transfers/transfers.ts'
import { TransfersContext } from './transfers/use-transfers.ts'
import { SettingsContext } from './use-settings.ts'

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
    const detail = 'Signing in and computing digests need https, or an address of this machine.'
    return fail('This address is not secure enough', detail)
  }
  try {
    await show()
  } catch (error) {
    fail('The page cannot begin', error instanceof Error ? error.message : '')
  }
}

async function show(): Promise<void> {
  const { createOidcIssuer } = await import('./session/oidc-issuer.ts')
  const settings = await readSettings((url) => fetch(url))
  const issuer = createOidcIssuer(settings, location.origin, sessionStorage)
  const session = createSession(issuer)
  const queries = new QueryClient({ defaultOptions: { queries: queryOptions } })
  const call = documentsCall(location.origin, session)
  const transfers = createTransfers({
    session,
    origin: location.origin,
    call,
    ticketBytesMin: settings.ticketBytesMin,
    createWorker: () => new Worker(transferWorkerUrl, { type: 'module' }),
    save: saveBlob,
    onPublished(document) {
      addToListings(queries, { ...document, storedAt: document.createdAt })
      void reloadVersions(queries, document)
    },
  })
  forgetWithTheSession()
  // There, the answer of the issuer begins the session.
  if (location.pathname !== patterns.signInCallback) void session.start(code)
  // A link opened while the page is shown changes the fragment alone.
  addEventListener('hashchange', () => {
    const next = takeSignInCode(location, history)
    if (next !== null) void session.start(next)
  })
  root.render(
    <StrictMode>
      <SettingsContext value={settings}>
        <QueryClientProvider client={queries}>
          <SessionContext value={session}>
            <IssuerContext value={issuer}>
              <DocumentsCallContext value={call}>
                <TransfersContext value={transfers}>
                  <App />
                </TransfersContext>
              </DocumentsCallContext>
            </IssuerContext>
          </SessionContext>
        </QueryClientProvider>
      </SettingsContext>
    </StrictMode>,
  )

  /** Nobody is to see, or go on with, what belongs to somebody else. */
  function forgetWithTheSession(): void {
    let subject: string | null = null
    session.subscribe(() => {
      const state = session.state()
      const now = 'principal' in state ? state.principal.subject : null
      if (subject !== null && subject !== now) {
        transfers.stop()
        queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'sign-in-way' })
      }
      subject = now
    })
  }
}

function fail(title: string, detail: string): void {
  root.render(
    <main className="sign-in">
      <FailureNote failure={plain('page_failed', title, detail)}>
        <button type="button" className="button" onClick={() => location.reload()}>
          Try again
        </button>
      </FailureNote>
    </main>,
  )
}
