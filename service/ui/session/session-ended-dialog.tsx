import { useRef, useState } from 'react'
import { Dialog } from '../parts/dialog.tsx'
import { FailureNote } from '../parts/error-note.tsx'
import { Loading } from '../parts/loading.tsx'
import { IssuerSilence } from './issuer.ts'
import { issuerFailure } from './issuer-failure.ts'
import { LinkForm } from './link-form.tsx'
import { useSession } from './use-session.ts'
import { useSignInWay } from './use-sign-in-way.ts'

/** Covers the page while the session is ended: views and transfers stay and continue after signing in. */
export function SessionEndedDialog({ reason }: { reason: unknown }) {
  const session = useSession()
  const way = useSignInWay()
  return (
    <Dialog title="Session ended">
      <p>
        Your session could not be renewed. Transfers wait until you sign in again; nothing on this page is
        lost.
      </p>
      {reason instanceof IssuerSilence && (
        <FailureNote failure={issuerFailure(reason)} onRetry={() => session.start(null)} />
      )}
      {way.isPending && <Loading />}
      {way.data === 'link' && <LinkForm />}
      {way.data !== 'link' && !way.isPending && <PopupButton />}
      {/* Not alone: it would get the focus and be pressed by mistake. */}
      {!way.isPending && (
        <div className="row">
          <button type="button" className="button button-quiet" onClick={() => session.signOut()}>
            Sign out
          </button>
        </div>
      )}
    </Dialog>
  )
}

function PopupButton() {
  const session = useSession()
  const [error, setError] = useState<unknown>(null)
  const attempt = useRef<AbortController | null>(null)
  const signIn = async () => {
    // The window of an attempt before may have been closed, which this page is not told everywhere.
    attempt.current?.abort()
    const current = new AbortController()
    attempt.current = current
    setError(null)
    await session.signInAgain(current.signal).catch((reason) => {
      if (!current.signal.aborted) setError(reason)
    })
  }
  return (
    <>
      {error !== null && <FailureNote failure={issuerFailure(error)} />}
      <div className="row">
        <button type="button" className="button button-primary" onClick={signIn}>
          Sign in again
        </button>
      </div>
    </>
  )
}
