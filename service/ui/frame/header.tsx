import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import { Dialog } from '../parts/dialog.tsx'
import { ThemeButton } from '../parts/theme-button.tsx'
import { patterns, tenantPath } from '../routes.ts'
import { usePrincipal, useSession } from '../session/use-session.ts'
import { isOver } from '../transfers/transfer-list.ts'
import { useTransfers } from '../transfers/use-transfers.ts'

/** The header over every view while a person is signed in. */
export function Header() {
  const { subject } = usePrincipal()
  return (
    <header className="header">
      <Link href={patterns.home} className="brand">
        Cloudlysis <span>Documents</span>
      </Link>
      <TenantChoice />
      <span className="header-end">
        <span className="subject" title={`Signed in as ${subject}`}>
          {subject}
        </span>
        <ThemeButton />
        <SignOut />
      </span>
    </header>
  )
}

function TenantChoice() {
  const { tenants } = usePrincipal()
  const [path, navigate] = useLocation()
  const current = /^\/tenants\/([^/]+)/.exec(path)?.[1] ?? ''
  return (
    <select
      aria-label="Tenant"
      value={tenants.includes(current) ? current : ''}
      onChange={({ target }) => navigate(tenantPath(target.value))}
    >
      {!tenants.includes(current) && (
        <option value="" disabled>
          Choose a tenant
        </option>
      )}
      {tenants.map((tenant) => (
        <option key={tenant} value={tenant}>
          {tenant}
        </option>
      ))}
    </select>
  )
}

function SignOut() {
  const session = useSession()
  const transfers = useTransfers()
  const [asking, setAsking] = useState(false)
  const ask = () => {
    if (transfers.list().some(({ status }) => !isOver(status))) setAsking(true)
    else void session.signOut()
  }
  return (
    <>
      <button type="button" className="button" onClick={ask}>
        Sign out
      </button>
      {asking && (
        <Dialog title="Sign out and stop transfers?" onClose={() => setAsking(false)}>
          <p>Transfers are running. Signing out cancels them and keeps nothing.</p>
          <div className="row row-end">
            <button type="button" className="button" onClick={() => setAsking(false)}>
              Stay
            </button>
            <button type="button" className="button button-danger" onClick={() => session.signOut()}>
              Sign out and stop them
            </button>
          </div>
        </Dialog>
      )}
    </>
  )
}
