import { Link } from 'wouter'
import { PageHeading } from '../parts/page-heading.tsx'
import { patterns } from '../routes.ts'

export function NotFoundPage() {
  return (
    <main className="page">
      <PageHeading title="Not found">There is nothing at this address</PageHeading>
      <p>
        The address is not one of this page's. <Link href={patterns.home}>To the beginning</Link>
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
        <p className="note-title">There is no such tenant for you</p>
        <p>Your sign-in does not name “{tenant}”. Choose one of your tenants above.</p>
      </div>
    </main>
  )
}
