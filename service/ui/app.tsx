import { Suspense, useEffect } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { Header } from './frame/header.tsx'
import { HomePage } from './frame/home-page.tsx'
import { NoSuchTenantPage, NotFoundPage } from './frame/not-found-page.tsx'
import { OfflineNote } from './frame/offline-note.tsx'
import { useScrollMemory } from './frame/scroll-memory.ts'
import { TenantPage } from './listing/tenant-page.tsx'
import { Announcer } from './parts/announcer.tsx'
import { ErrorBoundary } from './parts/error-boundary.tsx'
import { lazyView, preloadViews } from './parts/lazy-view.ts'
import { Loading } from './parts/loading.tsx'
import { hasForm, patterns } from './routes.ts'
import { SessionEndedDialog } from './session/session-ended-dialog.tsx'
import { SignInCallback } from './session/sign-in-callback.tsx'
import { SignInPage } from './session/sign-in-page.tsx'
import { usePrincipal, useSessionState } from './session/use-session.ts'
import { TransfersPanel } from './transfers/transfers-panel.tsx'

const ListPage = lazyView(async () => (await import('./listing/list-page.tsx')).ListPage)
const RolloutPage = lazyView(async () => (await import('./rollout/rollout-page.tsx')).RolloutPage)
const DocumentPage = lazyView(async () => (await import('./document/document-page.tsx')).DocumentPage)
const HistoryPage = lazyView(async () => (await import('./document/history-page.tsx')).HistoryPage)

/** Chooses the view by the address and by whether a person is signed in. */
export function App() {
  const state = useSessionState()
  const [path] = useLocation()
  if (path === patterns.signInCallback) return <SignInCallback />
  if (state.status === 'starting') {
    return (
      <main className="page">
        <Loading />
      </main>
    )
  }
  if (state.status === 'signed-out') return <SignInPage />
  return (
    <>
      {/* A dialog that one person opened must not be shown to the next. */}
      <Views key={state.principal.subject} />
      {state.status === 'ended' && <SessionEndedDialog reason={state.error} />}
    </>
  )
}

function Views() {
  const [path] = useLocation()
  useScrollMemory(path)
  useNoStrayDrops()
  useEffect(preloadViews, [])
  return (
    <>
      <OfflineNote />
      <Header />
      <ErrorBoundary view={path}>
        <Suspense
          fallback={
            <main className="page">
              <Loading />
            </main>
          }
        >
          <Switch>
            <Route path={patterns.home} component={HomePage} />
            <Route path={patterns.signIn} component={HomePage} />
            <Route path={patterns.tenant}>
              {({ tenant }) => <OfTenant tenant={tenant}>{<TenantPage tenant={tenant} />}</OfTenant>}
            </Route>
            <Route path={patterns.list}>
              {({ tenant, type }) => (
                <OfTenant tenant={tenant} type={type}>
                  <ListPage key={`${tenant}/${type}`} tenant={tenant} type={type} />
                </OfTenant>
              )}
            </Route>
            <Route path={patterns.rollout}>
              {({ tenant, type }) => (
                <OfTenant tenant={tenant} type={type}>
                  <RolloutPage key={`${tenant}/${type}`} tenant={tenant} type={type} />
                </OfTenant>
              )}
            </Route>
            <Route path={patterns.document}>
              {({ tenant, type, name }) => (
                <OfTenant tenant={tenant} type={type} name={name}>
                  <DocumentPage key={`${tenant}/${type}/${name}`} tenant={tenant} type={type} name={name} />
                </OfTenant>
              )}
            </Route>
            <Route path={patterns.history}>
              {({ tenant, type, name }) => (
                <OfTenant tenant={tenant} type={type} name={name}>
                  <HistoryPage key={`${tenant}/${type}/${name}`} tenant={tenant} type={type} name={name} />
                </OfTenant>
              )}
            </Route>
            <Route component={NotFoundPage} />
          </Switch>
        </Suspense>
      </ErrorBoundary>
      <TransfersPanel />
      <Announcer />
    </>
  )
}

interface OfTenantProps {
  tenant: string
  type?: string
  name?: string
  children: React.ReactNode
}

/** Shows a view of a tenant if the address is well-formed and the token includes the tenant. */
function OfTenant({ tenant, type, name, children }: OfTenantProps) {
  const { tenants } = usePrincipal()
  const isAddress =
    hasForm('tenant', tenant) &&
    (type === undefined || hasForm('type', type)) &&
    (name === undefined || hasForm('name', name))
  if (!isAddress) return <NotFoundPage />
  return tenants.includes(tenant) ? children : <NoSuchTenantPage tenant={tenant} />
}

/** Refuses files that are dropped outside the drop area: the browser would open them in place of this page. */
export function useNoStrayDrops(): void {
  useEffect(() => {
    const refuse = (event: DragEvent) => {
      if (event.defaultPrevented) return
      event.preventDefault()
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'none'
    }
    addEventListener('dragover', refuse)
    addEventListener('drop', refuse)
    return () => {
      removeEventListener('dragover', refuse)
      removeEventListener('drop', refuse)
    }
  }, [])
}
