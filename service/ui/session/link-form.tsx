import { type FormEvent, useId, useState } from 'react'
import { FailureNote } from '../parts/error-note.tsx'
import { IssuerRefusal } from './issuer.ts'
import { issuerFailure } from './issuer-failure.ts'
import { signInCodeOf } from './sign-in-link.ts'
import { useSession } from './use-session.ts'

/** Signs in with a link that the machine where the service runs prints. */
export function LinkForm() {
  const session = useSession()
  const [link, setLink] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const fieldId = useId()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const code = signInCodeOf(link)
    if (code === null) return setError(new IssuerRefusal('link_invalid'))
    setBusy(true)
    setError(null)
    await session.acceptLink(code).catch(setError)
    setBusy(false)
  }
  return (
    <form className="stack" onSubmit={submit}>
      <p>
        Run <code>bun run link</code> where the service runs. It prints a link that works once; open it, or
        paste it here.
      </p>
      <div className="field">
        <label htmlFor={fieldId}>Sign-in link</label>
        {/* Text and not a password: what it holds works once. */}
        <input
          id={fieldId}
          type="text"
          required
          autoComplete="off"
          spellCheck={false}
          value={link}
          onChange={(event) => setLink(event.target.value)}
        />
      </div>
      {error !== null && <FailureNote failure={issuerFailure(error)} />}
      <div className="row">
        <button type="submit" className="button button-primary" disabled={busy}>
          Use link
        </button>
      </div>
    </form>
  )
}
