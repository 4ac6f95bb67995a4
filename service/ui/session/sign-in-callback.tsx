import { useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import { FailureNote } from '../parts/error-note.tsx'
import { Loading } from '../parts/loading.tsx'
import { patterns } from '../routes.ts'
import type { Issuer } from './issuer.ts'
import { issuerFailure } from './issuer-failure.ts'
import { SignInFrame } from './sign-in-page.tsx'
import { useSession } from './use-session.ts'
import { useIssuer } from './use-sign-in-way.ts'

/** Where the issuer sends people back to, in this window or in one of its own. */
export function SignInCallback() {
  const issuer = useIssuer()
  const session = useSession()
  const [, navigate] = useLocation()
  const [outcome, setOutcome] = useState<{ error: unknown } | 'handed-over' | null>(null)
  useEffect(() => {
    complete(issuer, location.href).then(
      (completed) => {
        if (completed === null) return setOutcome('handed-over')
        session.adopt(completed.tokens)
        navigate(completed.returnPath, { replace: true })
      },
      (error) => {
        session.start(null)
        setOutcome({ error })
      },
    )
  }, [issuer, session, navigate])
  return (
    <SignInFrame>
      {outcome === null && <Loading what="Signing in…" />}
      {outcome === 'handed-over' && <p role="status">You are signed in. You can close this window.</p>}
      {outcome !== null && outcome !== 'handed-over' && (
        <FailureNote
          failure={issuerFailure(outcome.error)}
          onRetry={() => navigate(patterns.home, { replace: true })}
        />
      )}
    </SignInFrame>
  )
}

/** An answer can be taken once, however often the view is made. */
const taken = new Map<string, ReturnType<Issuer['completeSignIn']>>()

function complete(issuer: Pick<Issuer, 'completeSignIn'>, url: string) {
  const before = taken.get(url)
  if (before) return before
  const completion = issuer.completeSignIn(url)
  taken.set(url, completion)
  return completion
}
