import { Link } from 'wouter'
import { PageHeading } from '../parts/page-heading.tsx'
import { patterns } from '../routes.ts'

/** Shown for every address that is not one of the UI. */
export function NotFoundPage() {
  return (
    <main className="page">
      <PageHeading title="Not found">There is nothing at this address</PageHeading>
      <p>
        There is no such page. <Link href={patterns.home}>Go to the start page</Link>
      </p>
    </main>
  )
}

/** A tenant that the sign-in does not name: said in the same way whether there is one or not. */
export function NoSuchTenantPage({ tenant }: { tenant: string }) {
  return (
    <main className="page">
      <PageHeading title="No such tenant">{tenant}</PageHeading>
      <div role="alert" className="note note-error">
        <p className="note-title">You have no access to this tenant</p>
        <p>Your sign-in does not include “{tenant}”. Choose one of your tenants above.</p>
      </div>
    </main>
  )
}
