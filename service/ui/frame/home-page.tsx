import { Link, Redirect } from 'wouter'
import { Icon } from '../parts/icon.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { tenantPath } from '../routes.ts'
import { usePrincipal } from '../session/use-session.ts'

/** Lets people choose a tenant; redirects if there is only one. */
export function HomePage() {
  const { tenants } = usePrincipal()
  const [only, another] = tenants
  if (only !== undefined && another === undefined) return <Redirect to={tenantPath(only)} replace />
  return (
    <main className="page">
      <PageHeading title="Tenants">Tenants</PageHeading>
      {tenants.length === 0 ? (
        <p className="note note-quiet">
          You have no access to any tenant. Ask the person who manages access.
        </p>
      ) : (
        <ul className="types">
          {tenants.map((tenant) => (
            <li key={tenant} className="type">
              <Icon name="folder" />
              <Link href={tenantPath(tenant)}>{tenant}</Link>
            </li>
          ))}
        </ul>
      )}
    </main>
  )
}
