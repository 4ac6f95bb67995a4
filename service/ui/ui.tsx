import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { type ReactElement, StrictMode } from 'react'
import { isTransient } from '../client/retry.ts'
import type { UiSettings } from '../wire/ui-settings.ts'
import { App } from './app.tsx'
import { documentsCall } from './calls/documents-call.ts'
import { DocumentsCallContext } from './calls/use-documents-call.ts'
import { reloadVersions } from './document/use-versions.ts'
import { putInListings } from './listing/use-listing.ts'
import { announce } from './parts/announcer.tsx'
import type { Issuer } from './session/issuer.ts'
import { createSession, type Session } from './session/session.ts'
import { SessionContext } from './session/use-session.ts'
import { IssuerContext } from './session/use-sign-in-way.ts'
import { SettingsContext } from './settings.ts'
import { createTransfers, type Transfers, type WorkerPort } from './transfers/transfers.ts'
import { TransfersContext } from './transfers/use-transfers.ts'

export interface UiParts {
  settings: UiSettings
  /** Where the service is. */
  origin: string
  issuer: Issuer
  createWorker: () => WorkerPort
  save: (blob: Blob, name: string) => void
}

export interface Ui {
  /** Not begun yet. */
  session: Session
  transfers: Transfers
  element: ReactElement
}

/** The composition root: the UI from its parts, with nothing taken from the page. */
export function createUi({ settings, origin, issuer, createWorker, save }: UiParts): Ui {
  const session = createSession(issuer)
  const queries = new QueryClient({ defaultOptions: { queries: queryOptions } })
  const call = documentsCall(origin, session)
  const transfers = createTransfers({
    ...{ session, origin, call, createWorker, save },
    ticketBytesMin: settings.ticketBytesMin,
    documentBytesMax: settings.documentBytesMax ?? Number.POSITIVE_INFINITY,
    onPublished(document) {
      putInListings(queries, document)
      void reloadVersions(queries, document)
      void queries.invalidateQueries({ queryKey: ['types', document.tenant] })
    },
  })
  forgetWith(session, () => {
    transfers.stop()
    announce('')
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'sign-in-way' })
  })
  const element = (
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
    </StrictMode>
  )
  return { session, transfers, element }
}

/** Calls `forget` when the person changes or signs out, so that the next one sees nothing of the previous one. */
function forgetWith(session: Session, forget: () => void): void {
  let subject: string | null = null
  session.subscribe(() => {
    const state = session.state()
    const now = 'principal' in state ? state.principal.subject : null
    if (subject !== null && subject !== now) forget()
    subject = now
  })
}

const retriesMax = 2

/** Options of all queries of the page. */
export const queryOptions = {
  // The service refuses again what it refused once.
  retry: (failures: number, error: unknown) => failures < retriesMax && isTransient(error),
  staleTime: 15_000,
  // A browser may think itself offline while the service is on this very machine.
  networkMode: 'always',
  refetchOnReconnect: true,
} as const
