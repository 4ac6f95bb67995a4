import { type ReactNode, useState } from 'react'
import { ErrorNote, FailureNote } from '../parts/error-note.tsx'
import { Loading } from '../parts/loading.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { safeReturnPath } from '../routes.ts'
import { IssuerSilence } from './issuer.ts'
import { issuerFailure } from './issuer-failure.ts'
import { LinkForm } from './link-form.tsx'
import { useSession, useSessionState } from './use-session.ts'
import { useSignInWay } from './use-sign-in-way.ts'

/** Shown in place of every view while no one is signed in; the address stays and leads to its view afterwards. */
export function SignInPage() {
  const state = useSessionState()
  const way = useSignInWay()
  const error = state.status === 'signed-out' ? state.error : null
  return (
    <SignInFrame>
      {error !== null && <FailureNote failure={issuerFailure(error)} />}
      {way.isPending && <Loading />}
      {way.isError && <FailureNote failure={issuerFailure(way.error)} onRetry={() => way.refetch()} />}
      {way.data === 'page' && <SignInButton />}
      {way.data === 'link' && <LinkForm />}
    </SignInFrame>
  )
}

/** The page around everything that is shown while a person signs in. */
export function SignInFrame({ children }: { children: ReactNode }) {
  return (
    <main className="sign-in">
      <div className="card stack">
        <p className="brand">
          Cloudlysis <span>Documents</span>
        </p>
        <PageHeading title="Sign in">Sign in</PageHeading>
        {children}
      </div>
    </main>
  )
}

function SignInButton() {
  const session = useSession()
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const signIn = async () => {
    setBusy(true)
    setError(null)
    try {
      await session.signIn(safeReturnPath(location.pathname + location.search))
    } catch (reason) {
      setError(reason)
      setBusy(false)
    }
  }
  return (
    <>
      {error !== null &&
        (error instanceof IssuerSilence ? (
          <FailureNote failure={issuerFailure(error)} />
        ) : (
          <ErrorNote error={error} />
        ))}
      <div className="row">
        <button type="button" className="button button-primary" disabled={busy} onClick={signIn}>
          Sign in
        </button>
      </div>
    </>
  )
}
